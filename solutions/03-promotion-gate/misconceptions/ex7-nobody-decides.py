# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-lock: 1}
# why: takes the alias away, and no model decides
# ---
def rollback(name, who):
    with FileLock(LOCK):
        now = champion_of(name)
        before = None if now is None else tags_of(name, now).get("replaces")
        if before is None:
            return None
        CLIENT.set_model_version_tag(name, now, "taken_back_by", who)
        CLIENT.delete_registered_model_alias(name, "champion")
        return before
