# ---
# answers: ex3
# loses: {ex3-test: 3, ex7-test-honest: 1}
# why: joins on the exact month, so a month without news of the segment gets the overall rate
# ---
def join_as_of(applications, outcomes, prior=50):
    segments = list(applications["segment"].unique())
    rates = {}
    for month in applications["month"].unique():
        last = outcomes[outcomes["known_month"] == month - 1]
        rates[month] = rates_as_of(last, segments, month, prior)
    asked = zip(applications["month"], applications["segment"], strict=True)
    return [rates[month][segment] for month, segment in asked]
