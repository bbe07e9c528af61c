# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: off by one; holds out one month more than asked
# ---
def split_in_time(loans, holdout):
    late = loans["month"] >= loans["month"].max() - holdout
    return loans[~late], loans[late]
