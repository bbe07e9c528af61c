# ---
# answers: ex7
# loses: {ex7-test: 3, ex7-test-euros: 2, ex7-test-wrong: 2}
# why: wakes a colleague every time
# ---
def next_step(state):
    return {"do": "escalate"}
