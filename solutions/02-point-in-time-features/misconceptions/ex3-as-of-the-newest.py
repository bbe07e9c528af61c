# ---
# answers: ex3
# loses: {ex3-test: 3, ex7-test-honest: 1}
# why: joins the newest rates to all rows, whatever their month
# ---
def join_as_of(applications, outcomes, prior=50):
    rates = rates_as_of(outcomes, list(applications["segment"].unique()), applications["month"].max(), prior)
    return [rates[segment] for segment in applications["segment"]]
