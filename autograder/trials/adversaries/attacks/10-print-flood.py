# ---
# attack: prints for ever to stdout
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…prints or writes more than there is room for…"
# ---
# %% ex3
def cheapest(terms, price):
    while True:
        print("x" * 10_000)
