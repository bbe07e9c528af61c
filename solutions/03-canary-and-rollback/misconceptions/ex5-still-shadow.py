# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: keeps looking for the key that nobody writes, and now never has data
# ---
def judge(records, release):
    right = {}
    for record in records:
        if record["right"] is not None:
            right.setdefault(record["version"], []).append(record["right"])
    champion, challenger = right.get(release["champion"], []), right.get("shadow", [])
    if min(len(champion), len(challenger)) < 50:
        return "no data"
    worse = np.mean(challenger) < np.mean(champion) - 0.02
    return "rollback" if worse else "go on"
