# ---
# answers: ex5
# why: subtracts the two shares, as NumPy's means, where the judge of the text adds room to one of them
# ---
def judge(records, release):
    answers = {version: [] for version in release.values()}
    for record in records:
        if record["version"] in answers and record["right"] is not None:
            answers[record["version"]].append(record["right"])
    champion, challenger = (answers[release[role]] for role in ("champion", "challenger"))
    if min(len(champion), len(challenger)) < 50:
        return "no data"
    if np.mean(champion) - np.mean(challenger) > 0.02:
        return "rollback"
    return "go on"
