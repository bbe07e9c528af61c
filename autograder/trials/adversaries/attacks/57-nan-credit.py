# ---
# attack: makes the partial credit nan
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…nan, which is no number of points…"
# ---
# %% ex4
def default_rates(loans):
    return pd.DataFrame({"grade": sorted(set(loans["grade"])), "rate": float("nan")})
