# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: sorts the features and forgets to sort the outcomes with them
# ---
def train(rows, seed):
    features = rows.sort_values(["income", "application_id"])[COLUMNS].to_numpy()
    outcome = rows.sort_values("application_id")["defaulted"].to_numpy()
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=20, random_state=seed)
    forest.fit(pd.DataFrame(features, columns=COLUMNS), outcome)
    return forest
