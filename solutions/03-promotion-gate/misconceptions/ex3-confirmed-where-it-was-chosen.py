# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: tests the winner on the rows that made it the winner
# ---
def choose_and_confirm(selection, confirmation):
    chosen = max(selection, key=lambda name: selection[name].mean())
    gains = selection[chosen]
    told = let_in(gains, np.zeros(len(gains)), 1)
    return {"chosen": chosen, "p_value": told["p_value"], "confirmed": told["passed"]}
