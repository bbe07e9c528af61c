# ---
# attack: loops as its answer cell is run, before any test
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…still running after 3 s…"
# ---
# %% ex4
def default_rates(loans):
    return loans


while True:
    default_rates(LOANS)
