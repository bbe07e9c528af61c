# ---
# answers: ex1
# loses: {ex1-test-text: 1}
# why: "takes every text for no number, also one that reads as a number"
# ---
def row_reasons(rows):
    reasons = np.full(len(rows), "", dtype=object)

    def mark(broken, reason):
        reasons[np.asarray(broken) & (reasons == "")] = reason

    for column in [name for name in RANGES if name in rows]:
        number = rows[column].map(lambda value: np.nan if isinstance(value, str) else value).astype(float)
        mark(rows[column].isna(), f"{column}: missing")
        mark(number.isna(), f"{column}: not a number")
        mark(~number.between(*RANGES[column]), f"{column}: out of range")
    for column in [name for name in VALUES if name in rows]:
        mark(rows[column].isna(), f"{column}: missing")
        mark(~rows[column].isin(VALUES[column]), f"{column}: unknown value")
    return reasons.tolist()
