# ---
# answers: ex5
# why: counts by version
# ---
def judge(records, release):
    counts = {}
    for one in records:
        pair = counts.setdefault(one["version"], [0, 0])
        if one["right"] is not None:
            pair[not one["right"]] += 1
    old = counts.get(release["champion"], [0, 0])
    new = counts.get(release["challenger"], [0, 0])
    if sum(old) < 50 or sum(new) < 50:
        return "no data"
    return "rollback" if old[0] / sum(old) - new[0] / sum(new) > 0.02 else "go on"
