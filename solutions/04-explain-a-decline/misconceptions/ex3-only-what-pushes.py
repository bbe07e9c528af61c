# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: sums only the features that push towards default, so a reason looks stronger than it is
# ---
def by_reason(contributions, members):
    claimed = [feature for features in members.values() for feature in features]
    if odd := [name for name in set(contributions) | set(claimed) if claimed.count(name) != 1]:
        raise ValueError(f"not in exactly one reason: {odd}")
    if odd := [name for name in claimed if name not in contributions]:
        raise ValueError(f"no contribution: {odd}")
    result = {}
    for reason, features in members.items():
        pushes = [contributions[name] for name in features]
        result[reason] = sum(pushes) if len(pushes) == 1 else sum(push for push in pushes if push > 0)
    return result
