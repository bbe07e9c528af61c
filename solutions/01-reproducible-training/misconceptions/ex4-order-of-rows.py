# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: trusts the order in which the rows arrive
# ---
def train(rows, seed):
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=20, random_state=seed)
    return forest.fit(rows[COLUMNS], rows["defaulted"])
