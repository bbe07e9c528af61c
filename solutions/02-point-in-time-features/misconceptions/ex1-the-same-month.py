# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: takes what becomes known in a month as known when it begins
# ---
def known_before(outcomes, month):
    known = outcomes[outcomes["known_month"] <= month]
    return known.sort_values("known_month").drop_duplicates("application_id", keep="last")
