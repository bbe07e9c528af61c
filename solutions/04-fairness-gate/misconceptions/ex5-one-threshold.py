# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes one threshold for all
# ---
def equal_rates(past, people, seed):
    cut = past["score"].median()
    return [bool(one) for one in people["score"] > cut]
