# ---
# answers: ex7
# loses: {ex7-test: 3, ex7-euros: 2, ex7-wrong: 2}
# why: wakes a colleague every time
# ---
def next_step(state):
    return {"do": "escalate"}
