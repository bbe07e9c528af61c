# ---
# answers: ex2
# why: counts in one loop
# ---
def known(loans, now, delay):
    counted = {name: {"loans": 0, "defaults": 0, "missing": 0} for name in ("canary", "baseline")}
    for loan in loans:
        if loan["arm"] in counted and now - loan["month"] >= delay:
            mine = counted[loan["arm"]]
            if loan["defaulted"] is None:
                mine["missing"] += 1
            else:
                mine["loans"] += 1
                mine["defaults"] += int(loan["defaulted"])
    return counted
