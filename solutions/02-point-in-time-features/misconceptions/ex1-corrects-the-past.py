# ---
# answers: ex1
# loses: {ex1-test-corrected: 1}
# why: takes the correction first and looks at the calendar afterwards, so the first word is gone before it was wrong
# ---
def known_before(outcomes, month):
    newest = outcomes.sort_values("known_month").drop_duplicates("application_id", keep="last")
    return newest[newest["known_month"] < month]
