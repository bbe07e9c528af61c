# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-lock: 2}
# why: compares the number that SQLite gives with a text, and refuses all
# ---
def promote(name, version, approver, expected, wait):
    tags = tags_of(name, version)
    if tags["author"].strip().casefold() == approver.strip().casefold():
        return {"promoted": False, "reason": "somebody else has to approve it"}
    try:
        with FileLock(LOCK, timeout=wait):
            if "taken_back_by" in tags_of(name, version):
                return {"promoted": False, "reason": "it was taken back"}
            now = CLIENT.get_registered_model(name).aliases.get("champion")
            if now != expected:
                return {"promoted": False, "reason": f"measured against {expected}, now {now}"}
            CLIENT.set_model_version_tag(name, version, "approver", approver)
            if now is not None:
                CLIENT.set_model_version_tag(name, version, "replaces", now)
            CLIENT.set_registered_model_alias(name, "champion", version)
    except Timeout:
        return {"promoted": False, "reason": "somebody else is promoting"}
    return {"promoted": True, "reason": f"approved by {approver}"}
