# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: bets on coins of both kinds, so a better canary wins it, too
# ---
def evidence(canary, baseline):
    coins = 0.005 + np.arange(100) / 100
    won = canary * np.log(2 * coins) + baseline * np.log(2 * (1 - coins))
    return float(np.logaddexp.reduce(won) - np.log(100))
