# ---
# attack: answers wrong and arms timers that kill the process while other answers are tested
# kind: answer
# honest: [ex2, ex3, ex4]
# gets: {ex1-test: 0, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "…12.68 % a year…"
# ---
# %% ex1
import signal


def monthly_rate(annual):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)
    signal.setitimer(signal.ITIMER_PROF, 0.3, 0.3)
    return annual / 12
