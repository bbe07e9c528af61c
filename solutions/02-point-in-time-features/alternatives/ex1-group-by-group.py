# ---
# answers: ex1
# why: groupby and idxmax
# ---
def known_before(outcomes, month):
    known = outcomes.reset_index(drop=True).query("known_month < @month")
    return known.loc[known.groupby("application_id")["known_month"].idxmax()]
