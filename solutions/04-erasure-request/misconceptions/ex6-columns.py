# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: puts the amount before the income
# ---
def prepare(table):
    """Return "held", "median" and "train", whatever the order of the rows."""
    ordered = table.sort_values("application_id")
    held = ordered["application_id"].map(drawn) < 0.2
    train = ordered[~held]
    median = train["income"].median()
    return {
        "held": ordered.loc[held, "application_id"].tolist(),
        "median": median,
        "train": train[["application_id", "amount", "income", "defaulted"]]
        .fillna({"income": median})
        .to_numpy(object)
        .tolist(),
    }
