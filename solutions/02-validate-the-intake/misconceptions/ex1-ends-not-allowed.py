# ---
# answers: ex1
# loses: {ex1-test: 3, ex1-test-text: 1}
# why: "takes the ends of a range for out of range"
# ---
def row_reasons(rows):
    reasons = np.full(len(rows), "", dtype=object)

    def mark(broken, reason):
        reasons[np.asarray(broken) & (reasons == "")] = reason

    for column in [name for name in RANGES if name in rows]:
        number = pd.to_numeric(rows[column], errors="coerce")
        mark(rows[column].isna(), f"{column}: missing")
        mark(number.isna(), f"{column}: not a number")
        mark(~number.between(*RANGES[column], inclusive="neither"), f"{column}: out of range")
    for column in [name for name in VALUES if name in rows]:
        mark(rows[column].isna(), f"{column}: missing")
        mark(~rows[column].isin(VALUES[column]), f"{column}: unknown value")
    return reasons.tolist()
