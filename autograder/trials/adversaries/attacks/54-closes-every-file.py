# ---
# attack: closes every file descriptor, those that it inherited too
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex3
import os

os.closerange(0, 1024)
