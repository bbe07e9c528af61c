# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: takes the delay of the last row for that of every loan
# ---
def known_before(loans, month):
    """Return the loans whose outcome was known before `month` began."""
    delay = loans["known_month"].iloc[-1] - loans["month"].iloc[-1]
    return loans[loans["month"] + delay < month]
