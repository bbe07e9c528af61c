# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: remembers the last champion only, so a second rollback returns to the bad one
# ---
def rollback(name, who):
    with FileLock(LOCK):
        now = champion_of(name)
        before = None if now is None else tags_of(name, now).get("replaces")
        if before is None:
            return None
        CLIENT.set_model_version_tag(name, now, "taken_back_by", who)
        CLIENT.set_model_version_tag(name, before, "replaces", now)
        CLIENT.set_registered_model_alias(name, "champion", before)
        return before
