# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: asks when the loan was applied for, not when its outcome was known
# ---
def known_before(loans, month):
    return loans[loans["month"] < month]
