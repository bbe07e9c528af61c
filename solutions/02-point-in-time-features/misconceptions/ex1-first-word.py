# ---
# answers: ex1
# loses: {ex1-test-corrected: 1}
# why: keeps the first word on an application, not the correction
# ---
def known_before(outcomes, month):
    known = outcomes[outcomes["known_month"] < month]
    return known.sort_values("known_month").drop_duplicates("application_id")
