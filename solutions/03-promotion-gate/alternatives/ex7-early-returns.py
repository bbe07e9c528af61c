# ---
# answers: ex7
# why: asks the model for its alias, leaves early, and takes the lock by hand
# ---
def rollback(name, who):
    lock = FileLock(LOCK)
    lock.acquire()
    try:
        now = CLIENT.get_registered_model(name).aliases.get("champion")
        if now is None:
            return None
        before = CLIENT.get_model_version(name, str(now)).tags.get("replaces")
        if not before:
            return None
        CLIENT.set_registered_model_alias(name, "champion", before)
        CLIENT.set_model_version_tag(name, str(now), "taken_back_by", who)
        return before
    finally:
        lock.release()
