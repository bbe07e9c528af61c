# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: leaves out the month whose time is just over
# ---
def known(loans, now, delay):
    counted = {}
    for name in ("canary", "baseline"):
        over = [loan["defaulted"] for loan in loans if loan["arm"] == name and loan["month"] < now - delay]
        counted[name] = {
            "loans": len(over) - over.count(None),
            "defaults": over.count(True),
            "missing": over.count(None),
        }
    return counted
