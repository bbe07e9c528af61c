# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: takes back the model and leaves its threshold and feature code
# ---
def step(state, action, by):
    if action in ("promote", "rollback") and by.strip() in ("", "router"):
        raise ValueError("this needs a person")
    new = copy.deepcopy(state)
    if action == "rollback" and state["previous"]:
        new["champion"]["model"] = state["previous"]["model"]
        return {**new, "previous": None, "challenger": None}
    if action == "promote" and state["challenger"]:
        return {"champion": new["challenger"], "previous": new["champion"], "challenger": None}
    if action == "abort" and state["challenger"]:
        return {**new, "challenger": None}
    raise ValueError("this step cannot be taken")
