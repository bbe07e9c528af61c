# ---
# answers: ex6
# why: "a set of findings, a function for each kind"
# ---
def feed_findings(month, before, reference, limits):
    n = len(month)
    found = {(column, "missing_column") for column in reference["columns"] if column not in month.columns}
    if n * limits["volume"] < reference["rows"] or n > reference["rows"] * limits["volume"]:
        found.add(("", "volume"))
    if n == 0:
        return sorted(found)
    for column in stale_columns(month, before, limits["stale"]):
        found.add((column, "stale"))
    for column, values in month.items():
        if column in VALUES:
            if values.isna().sum() / n > limits["missing"]:
                found.add((column, "missing_values"))
            strange = [value for value in values if not pd.isna(value) and value not in VALUES[column]]
            if len(strange) / n > limits["unknown"]:
                found.add((column, "unknown_values"))
        elif column in RANGES:
            numbers = pd.to_numeric(values, errors="coerce").dropna()
            if 1 - len(numbers) / n > limits["missing"]:
                found.add((column, "missing_values"))
            middle, usually = (numbers.median() if len(numbers) else None), reference["medians"].get(column)
            low, high = (usually or 0) / limits["unit"], (usually or 0) * limits["unit"]
            if usually and middle is not None and not low <= middle <= high:
                found.add((column, "unit"))
    return sorted(found)
