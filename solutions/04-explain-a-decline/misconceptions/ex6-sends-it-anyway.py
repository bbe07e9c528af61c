# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: sends a letter whose numbers do not add up
# ---
def letter(application_id, picked, texts, turning, sound):
    if not picked:
        return {"application_id": int(application_id), "decision": "referred", "reasons": []}
    told = [{"reason": name, "text": texts[name], "enough_alone": [name] in turning} for name in picked]
    return {"application_id": int(application_id), "decision": "declined", "reasons": told}
