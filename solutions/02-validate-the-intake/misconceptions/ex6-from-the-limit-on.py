# ---
# answers: ex6
# loses: {ex6-test-limits: 2}
# why: "takes exactly at the limit for a finding"
# ---
def feed_findings(month, before, reference, limits):
    found = [(column, "missing_column") for column in reference["columns"] if column not in month]
    found += [(column, "stale") for column in stale_columns(month, before, limits["stale"])]
    fewest, most = reference["rows"] / limits["volume"], reference["rows"] * limits["volume"]
    if len(month) <= fewest or len(month) >= most:
        found.append(("", "volume"))
    for column in [name for name in VALUES if name in month]:
        values = month[column].dropna()
        if 1 - len(values) / max(len(month), 1) > limits["missing"] and len(month):
            found.append((column, "missing_values"))
        if (~values.isin(VALUES[column])).sum() > limits["unknown"] * len(month):
            found.append((column, "unknown_values"))
    for column in [name for name in RANGES if name in month]:
        number = pd.to_numeric(month[column], errors="coerce")
        if number.isna().mean() >= limits["missing"]:
            found.append((column, "missing_values"))
        usually = reference["medians"].get(column, 0)
        ratio = number.median() / usually if usually else 1
        if ratio > limits["unit"] or ratio < 1 / limits["unit"]:
            found.append((column, "unit"))
    return sorted(found)
