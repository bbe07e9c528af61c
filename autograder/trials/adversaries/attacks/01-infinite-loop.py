# ---
# attack: never returns from the function
# kind: answer
# honest: [ex2, ex3, ex4]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "…still running after 3 s…"
# ---
# %% ex1
def monthly_rate(annual):
    while True:
        pass
