# ---
# answers: ex3
# loses: {ex3-test: 3, ex7-test-honest: 1}
# why: joins on the exact month, so a month without news of the segment gets the overall rate
# ---
def join_as_of(applications, outcomes, prior=50):
    values = []
    for month, segment in zip(applications["month"], applications["segment"], strict=True):
        last = outcomes[outcomes["known_month"] == month - 1]
        values.append(rates_as_of(last, [segment], month, prior)[segment])
    return values
