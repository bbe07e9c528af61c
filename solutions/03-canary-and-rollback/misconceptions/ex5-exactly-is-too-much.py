# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes a fall of exactly 0.02 for more than 0.02
# ---
def judge(records, release):
    shares = []
    for role in ("champion", "challenger"):
        right = [one["right"] for one in records if one["version"] == release[role]]
        right = [answer for answer in right if answer is not None]
        if len(right) < 50:
            return "no data"
        shares.append(sum(right) / len(right))
    return "rollback" if shares[1] <= shares[0] - 0.02 else "go on"
