# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: never passes the seed on
# ---
def train(rows, seed):
    ordered = rows.sort_values("application_id")
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=20)
    return forest.fit(ordered[COLUMNS], ordered["defaulted"])
