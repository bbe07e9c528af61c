# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: adds three months itself instead of reading when the outcome was known
# ---
def known_before(loans, month):
    return loans[loans["month"] + 3 < month]
