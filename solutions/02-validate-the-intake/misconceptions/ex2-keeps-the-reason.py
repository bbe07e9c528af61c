# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: "the good rows go on with an empty column reason"
# ---
def quarantine(rows, reasons):
    marked = rows.assign(reason=reasons)
    return marked[marked["reason"] == ""], marked[marked["reason"] != ""]
