# ---
# answers: ex6
# why: leaves early where no letter may go, and builds the rest in a loop
# ---
def letter(application_id, picked, texts, turning, sound):
    number = application_id.item() if hasattr(application_id, "item") else application_id
    if not sound or not list(picked):
        return {"application_id": number, "decision": "referred", "reasons": []}
    reasons = []
    for name in picked:
        alone = [name] in [list(names) for names in turning]
        reasons.append({"enough_alone": alone, "text": texts[name], "reason": name})
    return {"decision": "declined", "reasons": reasons, "application_id": number}
