# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: "keeps the reasons by index label, so two deliveries put together get each other's"
# ---
def row_reasons(rows):
    reasons = dict.fromkeys(rows.index, "")
    for column in [name for name in (*RANGES, *VALUES) if name in rows]:
        for label, value in rows[column].items():
            if reasons[label]:
                continue
            if pd.isna(value):
                reasons[label] = f"{column}: missing"
            elif column in VALUES:
                reasons[label] = "" if value in VALUES[column] else f"{column}: unknown value"
            else:
                number = pd.to_numeric(value, errors="coerce")
                if pd.isna(number):
                    reasons[label] = f"{column}: not a number"
                elif not RANGES[column][0] <= number <= RANGES[column][1]:
                    reasons[label] = f"{column}: out of range"
    return list(reasons.values())
