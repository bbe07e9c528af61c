# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: writes a seed of its own into the code, so the argument does nothing
# ---
def train(rows, seed):
    ordered = rows.sort_values("application_id")
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=20, random_state=42)
    return forest.fit(ordered[COLUMNS], ordered["defaulted"])
