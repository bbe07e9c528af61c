# ---
# answers: ex7
# loses: {ex7-test: 3, ex7-test-euros: 2, ex7-test-wrong: 2}
# why: takes back whatever was released on the same evening
# ---
def next_step(state):
    seen = [one["what"] for one in state["seen"]]
    if "releases" not in seen:
        return {"do": "query", "what": "releases"}
    if not state["done"]:
        return {"do": "act", "what": "rollback"}
    return {"do": "close", "cause": "release", "reason": "it was the release"}
