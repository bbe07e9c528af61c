# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: groups without the rows whose value is missing
# ---
def slices(table, columns):
    judged, too_small = {}, []
    for column in columns:
        values = table[column].astype(object)
        for value, part in table.groupby(values, observed=True):
            name = f"{column}={value}"
            if len(part) < 100:
                too_small.append(name)
            else:
                judged[name] = part["gain"].to_numpy()
    harmed = [name for name, gains in judged.items() if let_in(np.zeros(len(gains)), gains, len(judged))["passed"]]
    return {"harmed": sorted(harmed), "too_small": sorted(too_small)}
