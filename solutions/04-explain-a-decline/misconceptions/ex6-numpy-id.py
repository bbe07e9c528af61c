# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: passes the NumPy integer on, and the letter cannot be written as JSON
# ---
def letter(application_id, picked, texts, turning, sound):
    if not sound or not picked:
        return {"application_id": application_id, "decision": "referred", "reasons": []}
    told = [{"reason": name, "text": texts[name], "enough_alone": [name] in turning} for name in picked]
    return {"application_id": application_id, "decision": "declined", "reasons": told}
