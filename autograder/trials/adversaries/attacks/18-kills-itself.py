# ---
# attack: sends itself SIGKILL
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…The only term there is…"
# ---
# %% ex3
import os
import signal


def cheapest(terms, price):
    os.kill(os.getpid(), signal.SIGKILL)
