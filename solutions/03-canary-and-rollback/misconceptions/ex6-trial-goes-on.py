# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: goes back and leaves the challenger on trial
# ---
def step(state, action, by):
    if action in ("promote", "rollback") and by.strip() in ("", "router"):
        raise ValueError("this needs a person")
    if action == "rollback" and state["previous"]:
        return {**state, "champion": state["previous"], "previous": None}
    if action == "promote" and state["challenger"]:
        return {"champion": state["challenger"], "previous": state["champion"], "challenger": None}
    if action == "abort" and state["challenger"]:
        return {**state, "challenger": None}
    raise ValueError("this step cannot be taken")
