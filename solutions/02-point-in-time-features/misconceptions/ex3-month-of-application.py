# ---
# answers: ex3
# loses: {ex3-test: 3, ex7-test-honest: 1}
# why: counts an outcome from the month after the application, when nobody knew it
# ---
def join_as_of(applications, outcomes, prior=50):
    at_once = outcomes.assign(known_month=outcomes["month"])
    rates = {
        m: rates_as_of(at_once, list(applications["segment"].unique()), m, prior) for m in set(applications["month"])
    }
    return [rates[m][s] for m, s in zip(applications["month"], applications["segment"], strict=True)]
