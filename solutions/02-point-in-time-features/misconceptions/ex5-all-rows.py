# ---
# answers: ex5
# loses: {ex5-test-sharp: 2}
# why: "compares all rows: what was rightly known later counts as a leak"
# ---
def leaks(build, applications, outcomes, month):
    future = (outcomes["known_month"] >= month).to_numpy()
    past = (applications["month"] <= month).to_numpy()
    before, found = build(applications, outcomes), set()
    others = [outcomes.assign(defaulted=outcomes["defaulted"] ^ future), outcomes[~future]]
    for after in [build(applications, other) for other in others]:
        for name in before.columns:
            a, b = before[name].to_numpy(float), after[name].to_numpy(float)
            if not np.array_equal(a, b, equal_nan=True):
                found.add(name)
    return sorted(found)
