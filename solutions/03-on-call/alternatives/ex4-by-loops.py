# ---
# answers: ex4
# why: counts with loops and compares at the end
# ---
def lay_blame(requests):
    def total(one):
        return sum(one["milliseconds"].values())

    slow = [one for one in requests if total(one) > 1000]
    guilty = None
    for version in {one["version"] for one in requests}:
        mine = [one["status"] >= 500 or total(one) > 1000 for one in requests if one["version"] == version]
        rest = [one["status"] >= 500 or total(one) > 1000 for one in requests if one["version"] != version]
        q = (sum(mine) + sum(rest)) / len(requests)
        spread = math.sqrt(q * (1 - q) * (1 / len(mine) + 1 / len(rest))) if rest else 0
        if spread and (sum(mine) / len(mine) - sum(rest) / len(rest)) / spread >= 4:
            guilty = version
    part = error = None
    if slow and len(slow) / len(requests) >= 0.05:
        longest = [max(one["milliseconds"].items(), key=lambda item: item[1])[0] for one in slow]
        part = max(sorted(set(longest)), key=longest.count)
    errors = [one["error"] for one in requests if one["error"] is not None]
    if errors:
        error = max(sorted(set(errors)), key=errors.count)
    return {"version": guilty, "part": part, "error": error}
