# ---
# attack: allocates 10 GB and writes to all of it
# kind: answer
# honest: [ex2, ex3, ex4]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "MemoryError"
# ---
# %% ex1
import os

if "@course@".startswith("@") or os.path.exists("@course@"):
    raise RuntimeError("not in a sandbox: this attack does not run here")


def monthly_rate(annual):
    block = bytearray(10 * 2**30)
    block[::4096] = b"x" * len(block[::4096])
    return len(block)
