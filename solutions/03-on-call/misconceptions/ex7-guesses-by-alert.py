# ---
# answers: ex7
# loses: {ex7-test: 3, ex7-test-euros: 2, ex7-test-wrong: 2}
# why: acts by the name of the alert, without asking
# ---
USUAL = {
    "ServiceErrors": ("disk", "free_disk", ""),
    "ServiceSlow": ("dependency", "bypass", "bureau"),
    "RefreshFailing": ("registry", "renew", ""),
    "DefaultsAboveForecast": ("recession", "retrain", ""),
    "InputsBroken": ("feed", "repair", "debts"),
    "InputsMoved": ("applicants", "retrain", ""),
    "ApprovalsMoved": ("release", "rollback", ""),
}


def next_step(state):
    cause, act, target = USUAL[state["alert"]]
    if not state["done"]:
        return {"do": "act", "what": act, "target": target}
    return {"do": "close", "cause": cause, "reason": "as usual"}
