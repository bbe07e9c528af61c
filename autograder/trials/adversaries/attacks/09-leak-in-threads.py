# ---
# attack: starts threads that eat memory, and answers wrong before they are done
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…"
# ---
# %% ex3
import os
import threading

if "@course@".startswith("@") or os.path.exists("@course@"):
    raise RuntimeError("not in a sandbox: this attack does not run here")

eaten = []


def eat():
    while True:
        try:
            eaten.append(b"x" * 10_000_000)
        except MemoryError:
            pass


def cheapest(terms, price):
    for _ in range(4):
        threading.Thread(target=eat, daemon=True).start()
    return max(terms, key=price)
