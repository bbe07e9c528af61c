# ---
# attack: patches the clocks so that no time seems to pass, and sleeps for an hour
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…still running after 3 s…"
# ---
# %% ex3
import time

sleep = time.sleep
time.time = time.monotonic = time.perf_counter = lambda: 0.0
time.sleep = lambda seconds: None


def cheapest(terms, price):
    sleep(3600)
    return terms[0]
