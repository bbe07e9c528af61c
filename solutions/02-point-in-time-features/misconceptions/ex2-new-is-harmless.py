# ---
# answers: ex2
# loses: {ex2-test: 3, ex7-test-honest: 1}
# why: gives a segment without outcomes the rate 0, the best of all
# ---
def rates_as_of(outcomes, segments, month, prior=50):
    known = outcomes[outcomes["known_month"] < month]
    overall = known["defaulted"].mean()
    rates = {}
    for segment in segments:
        own = known.loc[known["segment"] == segment, "defaulted"]
        rates[segment] = float((own.sum() + prior * overall) / (len(own) + prior)) if len(own) else 0.0
    return rates
