# ---
# answers: ex4
# why: "a table with a row a month, and pandas skips what is not there"
# ---
def usual(months):
    counts = {}
    table = []
    for month in months:
        numbers = month[[name for name in RANGES if name in month]].apply(pd.to_numeric, errors="coerce")
        table.append(numbers.median())
        for name in month:
            counts[name] = counts.get(name, 0) + 1
    middle = pd.DataFrame(table).median().dropna()
    sizes = sorted(len(month) for month in months)
    return {
        "rows": sizes[len(sizes) // 2],
        "medians": {name: float(value) for name, value in middle.items()},
        "columns": [name for name, count in counts.items() if 2 * count > len(months)],
    }
