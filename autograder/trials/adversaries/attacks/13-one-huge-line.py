# ---
# attack: prints and raises one string of a gigabyte
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "MemoryError"
# ---
# %% ex4
def default_rates(loans):
    huge = "x" * 10**9
    print(huge)
    raise ValueError(huge)
