# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: tags the version that comes back as taken back
# ---
def rollback(name, who):
    with FileLock(LOCK):
        now = champion_of(name)
        before = None if now is None else tags_of(name, now).get("replaces")
        if before is None:
            return None
        CLIENT.set_model_version_tag(name, before, "taken_back_by", who)
        CLIENT.set_registered_model_alias(name, "champion", before)
        return before
