# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes a record without an answer for a wrong answer
# ---
def judge(records, release):
    shares = []
    for role in ("champion", "challenger"):
        right = [bool(one["right"]) for one in records if one["version"] == release[role]]
        if len(right) < 50:
            return "no data"
        shares.append(sum(right) / len(right))
    return "rollback" if shares[1] < shares[0] - 0.02 else "go on"
