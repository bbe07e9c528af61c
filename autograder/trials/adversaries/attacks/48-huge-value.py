# ---
# attack: returns an array of 8 GB that costs it nothing, and an integer of thirty million digits
# kind: answer
# honest: [ex2, ex4]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…The only term there is…"
# ---
# %% ex1
def monthly_rate(annual):
    return np.broadcast_to(np.float64(0.0), (10**9,))


# %% ex3
def cheapest(terms, price):
    return 1 << 100_000_000
