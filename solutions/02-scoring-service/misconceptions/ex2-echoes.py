# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-batch: 1}
# why: adds what was sent to the problem, as FastAPI's own answer does
# ---
def explain(errors):
    """Return errors as a list of field, problem and wanted."""
    told = []
    for error in errors:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:])
        if error["type"] == "json_invalid":
            where = ""
        hint = WANTED.get(error["loc"][-1], "JSON with the fields " + ", ".join(FEATURES))
        told.append(
            {"field": where.lstrip(".") or "body", "problem": f"{error['msg']}, got {error['input']}", "wanted": hint}
        )
    return told
