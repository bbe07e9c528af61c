# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-who: 4}
# why: takes the end of a trial for a rollback of the champion
# ---
def step(state, action, by):
    if action in ("promote", "rollback") and by.strip() in ("", "router"):
        raise ValueError("this needs a person")
    if action in ("abort", "rollback") and state["previous"]:
        return {"champion": state["previous"], "previous": None, "challenger": None}
    if action == "promote" and state["challenger"]:
        return {"champion": state["challenger"], "previous": state["champion"], "challenger": None}
    raise ValueError("this step cannot be taken")
