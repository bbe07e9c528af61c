# ---
# answers: ex6
# loses: {ex6-test-who: 4}
# why: refuses without a word, and nobody learns what to do instead
# ---
def step(state, action, by):
    old, before, new = state["champion"], state["previous"], state["challenger"]
    needs = {"abort": new, "promote": new, "rollback": before}
    if needs.get(action) is None or (action != "abort" and by.strip() in {"", "router"}):
        raise ValueError
    after = {"abort": (old, before), "promote": (new, old), "rollback": (before, None)}[action]
    return {"champion": after[0], "previous": after[1], "challenger": None}
