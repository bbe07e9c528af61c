# ---
# answers: ex6
# loses: {ex6-test-who: 4}
# why: lets the router do whatever a person may do
# ---
def step(state, action, by):
    if not by.strip():
        raise ValueError("somebody must be named")
    if action == "rollback" and state["previous"]:
        return {"champion": state["previous"], "previous": None, "challenger": None}
    if action == "promote" and state["challenger"]:
        return {"champion": state["challenger"], "previous": state["champion"], "challenger": None}
    if action == "abort" and state["challenger"]:
        return {**state, "challenger": None}
    raise ValueError("this step cannot be taken")
