# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-corrected: 1}
# why: reckons with the usual delay from the month of application, and forgets that some come late
# ---
def known_before(outcomes, month):
    known = outcomes[outcomes["month"] + 3 < month]
    return known.sort_values("known_month").drop_duplicates("application_id", keep="last")
