# ---
# attack: never returns, catches every exception and ignores or blocks every signal that can be
# kind: answer
# honest: [ex1, ex2, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 0, ex4-test: 2, ex4-test-close: 4}
# student sees: "…still running after 3 s…"
# ---
# %% ex3
import signal


def cheapest(terms, price):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
