# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: counts whatever is known today, and so the early defaults
# ---
def known(loans, now, delay):
    counted = {}
    for name in ("canary", "baseline"):
        mine = [loan for loan in loans if loan["arm"] == name]
        over = [loan["defaulted"] for loan in mine if loan["month"] <= now - delay]
        seen = [loan["defaulted"] for loan in mine if loan["defaulted"] is not None]
        counted[name] = {"loans": len(seen), "defaults": sum(seen), "missing": over.count(None)}
    return counted
