# ---
# answers: ex1
# why: a loop over the rows, a copy instead of a view, and it prints
# ---
def known_before(loans, month):
    keep = []
    for known in loans["known_month"]:
        keep.append(known < month)
    print(f"{sum(keep)} of {len(keep)} outcomes are known")
    return loans.loc[keep].copy()
