# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: corrects within each column, and forgets that it looked at the others as well
# ---
def slices(table, columns):
    harmed, too_small = [], []
    for column in columns:
        values = table[column].astype(object).where(table[column].notna(), "missing")
        parts = {f"{column}={value}": part["gain"] for value, part in table.groupby(values)}
        judged = {name: gains.to_numpy() for name, gains in parts.items() if len(gains) >= 100}
        too_small += [name for name in parts if name not in judged]
        for name, gains in judged.items():
            if let_in(np.zeros(len(gains)), gains, len(judged))["passed"]:
                harmed.append(name)
    return {"harmed": sorted(harmed), "too_small": sorted(too_small)}
