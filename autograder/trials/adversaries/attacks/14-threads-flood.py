# ---
# attack: starts threads that go on printing after the wrong answer is given
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…18 and 30…"
# ---
# %% ex3
import threading


def babble():
    while True:
        print("babble " * 1000)


def cheapest(terms, price):
    for _ in range(3):
        threading.Thread(target=babble, daemon=True).start()
    return terms[-1]
