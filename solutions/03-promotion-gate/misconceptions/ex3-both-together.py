# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: tests on all rows, so that the luck of the choice is in the test
# ---
def choose_and_confirm(selection, confirmation):
    chosen = max(selection, key=lambda name: selection[name].mean())
    gains = np.concatenate([selection[chosen], confirmation[chosen]])
    told = let_in(gains, np.zeros(len(gains)), 1)
    return {"chosen": chosen, "p_value": told["p_value"], "confirmed": told["passed"]}
