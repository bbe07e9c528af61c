# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: chooses by the fresh rows as well, so nothing is left that helped nobody choose
# ---
def choose_and_confirm(selection, confirmation):
    chosen = max(confirmation, key=lambda name: confirmation[name].mean())
    gains = confirmation[chosen]
    told = let_in(gains, np.zeros(len(gains)), 1)
    return {"chosen": chosen, "p_value": told["p_value"], "confirmed": told["passed"]}
