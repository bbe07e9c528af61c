# ---
# answers: ex2
# loses: {ex2-test: 3, ex7-test-honest: 1}
# why: takes the plain share, so two outcomes make a rate of one
# ---
def rates_as_of(outcomes, segments, month, prior=50):
    known = outcomes[outcomes["known_month"] < month]
    overall = known["defaulted"].mean()
    rates = {}
    for segment in segments:
        own = known.loc[known["segment"] == segment, "defaulted"]
        rates[segment] = float(own.mean()) if len(own) else float(overall)
    return rates
