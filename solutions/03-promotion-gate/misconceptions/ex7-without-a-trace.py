# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: moves the alias and writes down nothing, so the next promotion brings it back
# ---
def rollback(name, who):
    with FileLock(LOCK):
        now = champion_of(name)
        before = None if now is None else tags_of(name, now).get("replaces")
        if before is None:
            return None
        pass
        CLIENT.set_registered_model_alias(name, "champion", before)
        return before
