# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: "the mean number of rows"
# ---
def usual(months):
    medians = {}
    for column in RANGES:
        found = [pd.to_numeric(month[column], errors="coerce").median() for month in months if column in month]
        if pd.Series(found, dtype=float).notna().any():
            medians[column] = float(np.nanmedian(found))
    names = pd.Series([name for month in months for name in month]).value_counts()
    return {
        "rows": float(np.mean([len(month) for month in months])),
        "medians": medians,
        "columns": names.index[names > len(months) / 2].tolist(),
    }
