# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes every record that is not the champion's for the challenger's
# ---
def judge(records, release):
    told = [one for one in records if one["right"] is not None]
    old = [one["right"] for one in told if one["version"] == release["champion"]]
    new = [one["right"] for one in told if one["version"] != release["champion"]]
    if min(len(old), len(new)) < 50:
        return "no data"
    return "rollback" if sum(new) / len(new) < sum(old) / len(old) - 0.02 else "go on"
