# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: weighs the price against the minutes of the question and forgets that the question comes all the same
# ---
def sure_enough(loss, query, act, price):
    return 1.0 if loss == 0 else price / (price + loss * query)
