# ---
# answers: ex5
# loses: {ex5-test-sharp: 2}
# why: "turns the future round but leaves it there: what counts rows goes unseen"
# ---
def leaks(build, applications, outcomes, month):
    future = (outcomes["known_month"] >= month).to_numpy()
    past = (applications["month"] <= month).to_numpy()
    before, found = build(applications, outcomes), set()
    others = [outcomes.assign(defaulted=outcomes["defaulted"] ^ future)]
    for after in [build(applications, other) for other in others]:
        for name in before.columns:
            a, b = before[name].to_numpy(float)[past], after[name].to_numpy(float)[past]
            if not np.array_equal(a, b, equal_nan=True):
                found.add(name)
    return sorted(found)
