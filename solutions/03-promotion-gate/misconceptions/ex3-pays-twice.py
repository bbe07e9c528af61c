# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: corrects for all candidates where only one was looked at, and turns good models away
# ---
def choose_and_confirm(selection, confirmation):
    chosen = max(selection, key=lambda name: selection[name].mean())
    gains = confirmation[chosen]
    told = let_in(gains, np.zeros(len(gains)), len(selection))
    return {"chosen": chosen, "p_value": told["p_value"], "confirmed": told["passed"]}
