# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: lets the strongest feature speak for the reason instead of the sum
# ---
def by_reason(contributions, members):
    claimed = [feature for features in members.values() for feature in features]
    for name in set(contributions) | set(claimed):
        if claimed.count(name) != 1 or name not in contributions:
            raise ValueError(f"{name} is lost or counted twice")
    return {
        reason: max((contributions[name] for name in features), key=abs, default=0.0)
        for reason, features in members.items()
    }
