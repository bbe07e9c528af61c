# ---
# answers: ex3
# why: sums with math alone
# ---
def evidence(canary, baseline):
    won = []
    for step in range(50):
        p = (50.5 + step) / 100
        won.append(canary * math.log(2 * p) + baseline * math.log(2 - 2 * p))
    top = max(won)
    return top + math.log(sum(math.exp(one - top) for one in won)) - math.log(50)
