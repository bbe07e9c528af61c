# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: "numbers the rows anew, so nobody finds them in the delivery"
# ---
def quarantine(rows, reasons):
    marked = rows.assign(reason=reasons).reset_index(drop=True)
    good = marked["reason"] == ""
    return marked[good].drop(columns="reason"), marked[~good]
