# ---
# answers: ex3
# loses: {ex3-test-complete: 1}
# why: takes a feature without a contribution for one that contributes nothing
# ---
def by_reason(contributions, members):
    claimed = [feature for features in members.values() for feature in features]
    for name in contributions:
        if claimed.count(name) != 1:
            raise ValueError(f"{name} is lost or counted twice")
    return {reason: sum(contributions.get(name, 0.0) for name in features) for reason, features in members.items()}
