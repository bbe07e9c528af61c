# ---
# answers: ex6
# why: takes the lock by hand, and does all under it
# ---
def promote(name, version, approver, expected, wait):
    lock = FileLock(LOCK)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        return {"promoted": False, "reason": "busy"}
    try:
        aliases = CLIENT.get_registered_model(name).aliases
        now = str(aliases["champion"]) if "champion" in aliases else None
        tags = CLIENT.get_model_version(name, version).tags
        people = {" ".join(one.lower().split()) for one in (tags["author"], approver)}
        if len(people) == 1 or tags.get("taken_back_by") or now != expected:
            return {"promoted": False, "reason": "author, taken back, or another champion"}
        told = {"approver": approver} | ({"replaces": now} if now else {})
        for key, value in told.items():
            CLIENT.set_model_version_tag(name, version, key, value)
        CLIENT.set_registered_model_alias(name, "champion", version)
    finally:
        lock.release()
    return {"promoted": True, "reason": "all is well"}
