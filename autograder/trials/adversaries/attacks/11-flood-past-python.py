# ---
# attack: "writes for ever to the file descriptors 1 and 2, past Python's own streams"
# kind: answer
# honest: [ex2, ex3, ex4]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "…prints or writes more than there is room for…"
# ---
# %% ex1
import os


def monthly_rate(annual):
    while True:
        os.write(1, b"out" * 20_000)
        os.write(2, b"err" * 20_000)
