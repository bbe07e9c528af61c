# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: takes the last rows, which are the latest only if the table happens to be sorted
# ---
def split_in_time(loans, holdout):
    last = sorted(loans["month"].unique())[-holdout:]
    n = int(loans["month"].isin(last).sum())
    return loans.iloc[:-n], loans.iloc[-n:]
