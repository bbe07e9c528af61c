# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: averages the logarithms of the coins instead of their euros
# ---
def evidence(canary, baseline):
    coins = 0.505 + np.arange(50) / 100
    won = canary * np.log(2 * coins) + baseline * np.log(2 * (1 - coins))
    return float(won.mean())
