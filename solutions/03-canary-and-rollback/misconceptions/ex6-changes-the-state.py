# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: changes the state that it was given
# ---
def step(state, action, by):
    if action in ("promote", "rollback") and by.strip() in ("", "router"):
        raise ValueError("this needs a person")
    if action not in ("abort", "promote", "rollback"):
        raise ValueError("no such step")
    source = "previous" if action == "rollback" else "challenger"
    if state[source] is None:
        raise ValueError("there is none")
    if action == "promote":
        state["previous"] = state["champion"]
    if action != "abort":
        state["champion"] = state[source]
    if action == "rollback":
        state["previous"] = None
    state["challenger"] = None
    return state
