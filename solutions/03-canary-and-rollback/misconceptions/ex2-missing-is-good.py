# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: takes a loan without an outcome for a good one
# ---
def known(loans, now, delay):
    counted = {}
    for name in ("canary", "baseline"):
        over = [loan["defaulted"] for loan in loans if loan["arm"] == name and loan["month"] <= now - delay]
        counted[name] = {
            "loans": len(over),
            "defaults": over.count(True),
            "missing": over.count(None),
        }
    return counted
