# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-guards: 2, ex6-test-lock: 2}
# why: writes down the approver before it knows whether the version is promoted
# ---
def promote(name, version, approver, expected, wait):
    tags = tags_of(name, version)
    CLIENT.set_model_version_tag(name, version, "approver", approver)
    if tags["author"].strip().casefold() == approver.strip().casefold():
        return {"promoted": False, "reason": "somebody else has to approve it"}
    try:
        with FileLock(LOCK, timeout=wait):
            if "taken_back_by" in tags_of(name, version):
                return {"promoted": False, "reason": "it was taken back"}
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
