# ---
# answers: ex7
# loses: {ex7-test: 3, ex7-test-euros: 2, ex7-test-wrong: 2}
# why: calls every alarm chance, after a look
# ---
def next_step(state):
    if not state["seen"]:
        return {"do": "query", "what": "metrics"}
    return {"do": "close", "cause": "chance", "reason": "it will pass"}
