# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: "one median over the rows of all months: a month that came a hundred times outvotes all others"
# ---
def usual(months):
    medians = {}
    for column in RANGES:
        together = pd.concat([month[column].astype(object) for month in months if column in month] or [pd.Series()])
        found = [pd.to_numeric(together, errors="coerce").median()]
        if pd.Series(found, dtype=float).notna().any():
            medians[column] = float(np.nanmedian(found))
    names = pd.Series([name for month in months for name in month]).value_counts()
    return {
        "rows": float(np.median([len(month) for month in months])),
        "medians": medians,
        "columns": names.index[names > len(months) / 2].tolist(),
    }
