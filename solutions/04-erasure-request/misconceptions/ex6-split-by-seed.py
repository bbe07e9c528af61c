# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: holds out by a seeded draw, which the number of rows decides
# ---
def prepare(table):
    """Return "held", "median" and "train", whatever the order of the rows."""
    ordered = table.sort_values("application_id")
    held = np.random.default_rng(0).random(len(ordered)) < 0.2
    train = ordered[~held]
    median = train["income"].median()
    return {
        "held": ordered.loc[held, "application_id"].tolist(),
        "median": median,
        "train": train[COLUMNS].fillna({"income": median}).to_numpy(object).tolist(),
    }
