# ---
# answers: ex2
# why: a helper function of its own; the two parts in a list instead of a tuple
# ---
def last_months(loans, number):
    found = []
    for month in sorted(set(loans["month"].tolist()), reverse=True):
        if len(found) < number:
            found.append(month)
    return found


def split_in_time(loans, holdout):
    first = min(last_months(loans, holdout))
    return [loans.query("month < @first"), loans.query("month >= @first")]
