# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: draws lots in each group
# ---
def equal_rates(past, people, seed):
    return (np.random.default_rng(seed).random(len(people)) < 0.5).tolist()
