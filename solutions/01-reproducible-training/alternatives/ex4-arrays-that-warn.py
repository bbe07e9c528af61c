# ---
# answers: ex4
# why: fits on arrays, so that scikit-learn warns on stderr when it predicts from a data frame
# ---
def train(rows, seed):
    order = np.argsort(rows["application_id"].to_numpy())
    features = rows[COLUMNS].to_numpy(dtype=float)[order]
    labels = rows["defaulted"].to_numpy()[order]
    forest = RandomForestClassifier(40, min_samples_leaf=20)
    forest.set_params(random_state=seed)
    forest.fit(features, labels)
    return forest
