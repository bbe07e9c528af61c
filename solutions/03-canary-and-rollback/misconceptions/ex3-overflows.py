# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: multiplies the euros out, which is infinite for many failures
# ---
def evidence(canary, baseline):
    coins = 0.505 + np.arange(50) / 100
    with np.errstate(all="ignore"):
        euros = ((2 * coins) ** canary * (2 * (1 - coins)) ** baseline).mean()
        return float(np.log(euros))
