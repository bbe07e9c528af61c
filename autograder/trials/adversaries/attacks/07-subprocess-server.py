# ---
# attack: "starts a shell in the background that outlives the cell, with its output on the cell's own"
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex2
import subprocess

try:
    subprocess.Popen(["sh", "-c", "while true; do echo @token@; sleep 0.1; done"], start_new_session=True)
except OSError as error:
    print(error)
