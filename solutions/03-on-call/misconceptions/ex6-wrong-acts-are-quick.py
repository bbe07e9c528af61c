# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: forgets that a wrong action takes its minutes, too
# ---
def sure_enough(loss, query, act, price):
    return 1.0 if loss == 0 else 1 - loss * query / (price + loss * query)
