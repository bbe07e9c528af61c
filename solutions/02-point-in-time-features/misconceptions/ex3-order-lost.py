# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: sorts for the join and forgets to put the rows back in order
# ---
def join_as_of(applications, outcomes, prior=50):
    values = []
    for month, rows in applications.groupby("month"):
        rates = rates_as_of(outcomes, list(rows["segment"].unique()), month, prior)
        values += [rates[segment] for segment in rows["segment"]]
    return values
