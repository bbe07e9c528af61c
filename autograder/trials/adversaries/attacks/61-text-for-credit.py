# ---
# attack: returns text where the partial credit is computed from numbers
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "TypeError…"
# ---
# %% ex4
def default_rates(loans):
    grades = sorted(set(loans["grade"]))
    return pd.DataFrame({"grade": grades, "rate": ["4.0"] * len(grades)})
