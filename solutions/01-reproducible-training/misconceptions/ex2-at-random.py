# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: splits at random, so the future leaks into training
# ---
def split_in_time(loans, holdout):
    test = loans.sample(frac=holdout / 12, random_state=0)
    return loans.drop(test.index), test
