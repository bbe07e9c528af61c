# ---
# answers: ex6
# why: solves the two costs for the probability
# ---
def sure_enough(loss, query, act, price):
    ask = loss * (query + act)
    wrong = loss * act + price + ask
    right = loss * act
    return 1.0 if loss == 0 else (wrong - ask) / (wrong - right)
