# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: "counts a column that was not delivered as missing in every row"
# ---
def row_reasons(rows):
    reasons = np.full(len(rows), "", dtype=object)

    def mark(broken, reason):
        reasons[np.asarray(broken) & (reasons == "")] = reason

    rows = rows.reindex(columns=[*RANGES, *VALUES])
    for column in RANGES:
        number = pd.to_numeric(rows[column], errors="coerce")
        mark(rows[column].isna(), f"{column}: missing")
        mark(number.isna(), f"{column}: not a number")
        mark(~number.between(*RANGES[column]), f"{column}: out of range")
    for column in [name for name in VALUES if name in rows]:
        mark(rows[column].isna(), f"{column}: missing")
        mark(~rows[column].isin(VALUES[column]), f"{column}: unknown value")
    return reasons.tolist()
