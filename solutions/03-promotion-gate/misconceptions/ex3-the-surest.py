# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: chooses the smallest p-value, so a small steady gain beats a large one
# ---
def choose_and_confirm(selection, confirmation):
    chosen = min(selection, key=lambda name: let_in(selection[name], 0.0, 1)["p_value"])
    gains = confirmation[chosen]
    told = let_in(gains, np.zeros(len(gains)), 1)
    return {"chosen": chosen, "p_value": told["p_value"], "confirmed": told["passed"]}
