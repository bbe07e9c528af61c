# ---
# attack: raises SystemExit(0) where a test calls it, and at the end of its cell
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "SystemExit"
# ---
# %% ex3
import sys


def cheapest(terms, price):
    sys.exit(0)


exit()
quit()
raise SystemExit(0)
