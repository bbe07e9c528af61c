# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: "adds the reason to the table that it was given"
# ---
def quarantine(rows, reasons):
    rows["reason"] = reasons
    good = rows["reason"] == ""
    return rows[good], rows[~good]
