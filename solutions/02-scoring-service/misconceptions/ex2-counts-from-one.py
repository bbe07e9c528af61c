# ---
# answers: ex2
# loses: {ex2-test-batch: 1}
# why: counts the applications from 1
# ---
def explain(errors):
    """Return errors as a list of field, problem and wanted."""
    told = []
    for error in errors:
        where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:])
        if error["type"] == "json_invalid":
            where = ""
        hint = WANTED.get(error["loc"][-1], "JSON with the fields " + ", ".join(FEATURES))
        told.append({"field": where.lstrip(".") or "body", "problem": error["msg"], "wanted": hint})
    return told
