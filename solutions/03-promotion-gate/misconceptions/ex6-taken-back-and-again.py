# ---
# answers: ex6
# loses: {ex6-test-guards: 2, ex6-test-lock: 2}
# why: lets a version in that was taken back
# ---
def promote(name, version, approver, expected, wait):
    tags = tags_of(name, version)
    if tags["author"].strip().casefold() == approver.strip().casefold():
        return {"promoted": False, "reason": "somebody else has to approve it"}
    try:
        with FileLock(LOCK, timeout=wait):
            now = champion_of(name)
            if now != expected:
                return {"promoted": False, "reason": f"measured against {expected}, now {now}"}
            CLIENT.set_model_version_tag(name, version, "approver", approver)
            if now is not None:
                CLIENT.set_model_version_tag(name, version, "replaces", now)
            CLIENT.set_registered_model_alias(name, "champion", version)
    except Timeout:
        return {"promoted": False, "reason": "somebody else is promoting"}
    return {"promoted": True, "reason": f"approved by {approver}"}
