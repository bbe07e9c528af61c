# ---
# attack: reads from address 0
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…crashed here (signal 11)…"
# ---
# %% ex4
import ctypes


def default_rates(loans):
    return ctypes.string_at(0)
