# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: the median is of those held out, too
# ---
def prepare(table):
    """Return "held", "median" and "train", whatever the order of the rows."""
    ordered = table.sort_values("application_id")
    held = ordered["application_id"].map(drawn) < 0.2
    train = ordered[~held]
    median = ordered["income"].median()
    return {
        "held": ordered.loc[held, "application_id"].tolist(),
        "median": median,
        "train": train[COLUMNS].fillna({"income": median}).to_numpy(object).tolist(),
    }
