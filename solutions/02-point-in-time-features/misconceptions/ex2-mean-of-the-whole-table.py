# ---
# answers: ex2
# loses: {ex2-test: 3, ex7-test-honest: 1}
# why: draws the rates towards the mean of the whole table, future included
# ---
def rates_as_of(outcomes, segments, month, prior=50):
    known = outcomes[outcomes["known_month"] < month]
    overall = outcomes["defaulted"].mean()
    rates = {}
    for segment in segments:
        own = known.loc[known["segment"] == segment, "defaulted"]
        rates[segment] = float((own.sum() + prior * overall) / (len(own) + prior))
    return rates
