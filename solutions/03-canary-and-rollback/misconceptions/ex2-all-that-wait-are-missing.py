# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: calls loans missing whose time is not over yet
# ---
def known(loans, now, delay):
    counted = {}
    for name in ("canary", "baseline"):
        mine = [loan for loan in loans if loan["arm"] == name]
        over = [loan["defaulted"] for loan in mine if loan["month"] <= now - delay]
        counted[name] = {
            "loans": len(over) - over.count(None),
            "defaults": over.count(True),
            "missing": sum(loan["defaulted"] is None for loan in mine),
        }
    return counted
