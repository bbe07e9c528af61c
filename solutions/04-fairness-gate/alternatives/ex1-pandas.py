# ---
# answers: ex1
# why: groups with pandas
# ---
def rates(granted, group):
    if len(granted) != len(group):
        raise ValueError("lengths differ")
    table = pd.Series(granted, dtype=bool).groupby(list(group)).agg(["size", "sum"])
    return {
        name: {"n": int(row["size"]), "granted": int(row["sum"]), "rate": float(row["sum"] / row["size"])}
        for name, row in table.iterrows()
    }
