# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes the median of the people who ask as threshold, and learns nothing from the past
# ---
def equal_rates(past, people, seed):
    middle = people.groupby("group")["score"].transform("median")
    return (people["score"] >= middle).to_numpy()
