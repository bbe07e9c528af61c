# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: wants to be 90 % sure whatever it costs
# ---
def sure_enough(loss, query, act, price):
    return 1.0 if loss == 0 else 0.9
