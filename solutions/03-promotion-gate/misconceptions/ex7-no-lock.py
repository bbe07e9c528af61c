# ---
# answers: ex7
# loses: {ex7-test-lock: 1}
# why: does not wait for the lock, and takes back who was the champion a moment ago
# ---
def rollback(name, who):
    now = champion_of(name)
    before = None if now is None else tags_of(name, now).get("replaces")
    if before is None:
        return None
    CLIENT.set_model_version_tag(name, now, "taken_back_by", who)
    CLIENT.set_registered_model_alias(name, "champion", before)
    return before
