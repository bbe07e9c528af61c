# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: goes to the version before in number, which may never have been in charge
# ---
def rollback(name, who):
    with FileLock(LOCK):
        now = champion_of(name)
        before = None if now is None else (str(int(now) - 1) if int(now) > 1 else None)
        if before is None:
            return None
        CLIENT.set_model_version_tag(name, now, "taken_back_by", who)
        CLIENT.set_registered_model_alias(name, "champion", before)
        return before
