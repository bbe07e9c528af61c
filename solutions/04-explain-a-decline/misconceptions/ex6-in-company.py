# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: promises that a reason is enough where it is so only together with another
# ---
def letter(application_id, picked, texts, turning, sound):
    if not sound or not picked:
        return {"application_id": int(application_id), "decision": "referred", "reasons": []}
    helps = {name for names in turning for name in names}
    told = [{"reason": name, "text": texts[name], "enough_alone": name in helps} for name in picked]
    return {"application_id": int(application_id), "decision": "declined", "reasons": told}
