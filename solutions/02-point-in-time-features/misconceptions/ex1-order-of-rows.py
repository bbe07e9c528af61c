# ---
# answers: ex1
# loses: {ex1-test-corrected: 1}
# why: trusts the order of the rows to be that of their arrival
# ---
def known_before(outcomes, month):
    known = outcomes[outcomes["known_month"] < month]
    return known.drop_duplicates("application_id", keep="last")
