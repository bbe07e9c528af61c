# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: takes the position of a character in a broken text for an application of a batch
# ---
def explain(errors):
    """Return errors as a list of field, problem and wanted."""
    told = []
    for error in errors:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:])
        hint = WANTED.get(error["loc"][-1], "JSON with the fields " + ", ".join(FEATURES))
        told.append({"field": where.lstrip(".") or "body", "problem": error["msg"], "wanted": hint})
    return told
