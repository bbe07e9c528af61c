# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: learns in the order in which the rows came
# ---
def prepare(table):
    """Return "held", "median" and "train", whatever the order of the rows."""
    ordered = table.copy()
    held = ordered["application_id"].map(drawn) < 0.2
    train = ordered[~held]
    median = train["income"].median()
    return {
        "held": ordered.loc[held, "application_id"].tolist(),
        "median": median,
        "train": train[COLUMNS].fillna({"income": median}).to_numpy(object).tolist(),
    }
