# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: leaves out the minute that costs nothing
# ---
def sure_enough(loss, query, act, price):
    return 1 - loss * query / (price + loss * (query + act)) if price else 0.0
