# ---
# answers: ex3
# why: looks up the owner of each feature; NumPy numbers as sums
# ---
def by_reason(contributions, members):
    owner = {}
    for reason in members:
        for feature in members[reason]:
            if feature in owner:
                raise ValueError(f"{feature} belongs to {owner[feature]} and to {reason}")
            if feature not in contributions:
                raise ValueError(f"{feature} has no contribution")
            owner[feature] = reason
    sums = {reason: np.float64(0) for reason in members}
    for feature, push in contributions.items():
        if feature not in owner:
            raise ValueError(f"{feature} belongs to no reason")
        sums[owner[feature]] += push
    return sums
