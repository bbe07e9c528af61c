# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: counts what arrives during the month as known on its first morning
# ---
def known_before(loans, month):
    return loans[loans["known_month"] <= month]
