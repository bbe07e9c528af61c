# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: takes the strongest reason for the one that would turn the decision
# ---
def letter(application_id, picked, texts, turning, sound):
    if not sound or not picked:
        return {"application_id": int(application_id), "decision": "referred", "reasons": []}
    told = [{"reason": name, "text": texts[name], "enough_alone": name == picked[0]} for name in picked]
    return {"application_id": int(application_id), "decision": "declined", "reasons": told}
