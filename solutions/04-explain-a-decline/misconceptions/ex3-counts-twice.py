# ---
# answers: ex3
# loses: {ex3-test-complete: 1}
# why: compares the sets of features, in which one that belongs to two reasons does not show
# ---
def by_reason(contributions, members):
    claimed = {feature for features in members.values() for feature in features}
    if odd := claimed ^ set(contributions):
        raise ValueError(f"lost: {sorted(odd)}")
    return {reason: sum(contributions[name] for name in features) for reason, features in members.items()}
