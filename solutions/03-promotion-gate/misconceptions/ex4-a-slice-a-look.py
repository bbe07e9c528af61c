# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: tests each slice at 0.05, although it looks at many
# ---
def slices(table, columns):
    judged, too_small = {}, []
    for column in columns:
        values = table[column].astype(object).where(table[column].notna(), "missing")
        for value, part in table.groupby(values, observed=True):
            name = f"{column}={value}"
            if len(part) < 100:
                too_small.append(name)
            else:
                judged[name] = part["gain"].to_numpy()
    harmed = [name for name, gains in judged.items() if let_in(np.zeros(len(gains)), gains, 1)["passed"]]
    return {"harmed": sorted(harmed), "too_small": sorted(too_small)}
