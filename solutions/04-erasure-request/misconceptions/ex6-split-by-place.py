# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: holds out every fifth row, so one who leaves moves the others
# ---
def prepare(table):
    """Return "held", "median" and "train", whatever the order of the rows."""
    ordered = table.sort_values("application_id")
    held = np.arange(len(ordered)) % 5 == 0
    train = ordered[~held]
    median = train["income"].median()
    return {
        "held": ordered.loc[held, "application_id"].tolist(),
        "median": median,
        "train": train[COLUMNS].fillna({"income": median}).to_numpy(object).tolist(),
    }
