# ---
# attack: asks for input, as if somebody sat there
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "EOFError…"
# ---
# %% ex4
def default_rates(loans):
    return input("Which rates, please? ")
