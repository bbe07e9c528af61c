# ---
# answers: ex2
# why: "picks the rows by position"
# ---
def quarantine(rows, reasons):
    fine = [place for place, reason in enumerate(reasons) if not reason]
    broken = [place for place, reason in enumerate(reasons) if reason]
    bad = rows.iloc[broken].copy()
    bad["reason"] = [reasons[place] for place in broken]
    return rows.iloc[fine], bad
