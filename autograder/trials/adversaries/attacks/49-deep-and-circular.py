# ---
# attack: returns a list nested a million deep, and a list and a dict that contain themselves
# kind: answer
# honest: [ex2]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…Return a data frame…"
# ---
# %% ex1
def monthly_rate(annual):
    deep = []
    for _ in range(1_000_000):
        deep = [deep]
    return deep


# %% ex3
def cheapest(terms, price):
    terms.append(terms)
    return terms


# %% ex4
def default_rates(loans):
    rates = {"grade": list("ABCD")}
    rates["rate"] = rates
    return rates
