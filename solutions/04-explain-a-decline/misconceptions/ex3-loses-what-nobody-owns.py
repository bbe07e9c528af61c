# ---
# answers: ex3
# loses: {ex3-test-complete: 1}
# why: drops a feature that belongs to no reason without a word
# ---
def by_reason(contributions, members):
    claimed = [feature for features in members.values() for feature in features]
    for name in claimed:
        if claimed.count(name) > 1 or name not in contributions:
            raise ValueError(f"{name} is counted twice or has no contribution")
    return {reason: sum(contributions[name] for name in features) for reason, features in members.items()}
