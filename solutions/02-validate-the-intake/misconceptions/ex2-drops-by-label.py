# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: "drops the bad rows by label, and a good row with the same label goes with them"
# ---
def quarantine(rows, reasons):
    bad = rows.assign(reason=reasons)
    bad = bad[bad["reason"] != ""]
    return rows.drop(index=bad.index), bad
