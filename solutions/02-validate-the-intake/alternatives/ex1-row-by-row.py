# ---
# answers: ex1
# why: "one row after the other, in plain Python"
# ---
def row_reasons(rows):
    def judge(row):
        for column, value in row.items():
            if pd.isna(value):
                return f"{column}: missing"
            if column in VALUES:
                if value not in VALUES[column]:
                    return f"{column}: unknown value"
                continue
            try:
                value = float(value)
            except ValueError:
                return f"{column}: not a number"
            if not RANGES[column][0] <= value <= RANGES[column][1]:
                return f"{column}: out of range"
        return ""

    columns = [name for name in (*RANGES, *VALUES) if name in rows]
    return [judge(row) for row in rows[columns].to_dict("records")]
