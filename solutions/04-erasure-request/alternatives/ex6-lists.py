# ---
# answers: ex6
# why: by a copy, with NumPy's median
# ---
def prepare(table):
    table = table.copy().set_index("application_id").sort_index().reset_index()
    side = table["application_id"].map(drawn)
    train = table.loc[side >= 0.2, ["application_id", "income", "amount", "defaulted"]]
    median = float(np.nanmedian(train["income"].to_numpy(dtype=float)))
    rows = [list(row) for row in train.itertuples(index=False)]
    for row in rows:
        row[1] = median if row[1] != row[1] else row[1]
    return {"held": list(table.loc[side < 0.2, "application_id"]), "median": median, "train": rows}
