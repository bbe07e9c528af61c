# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: says what is wanted for known fields only, and nothing for the others
# ---
def explain(errors):
    """Return errors as a list of field, problem and wanted."""
    told = []
    for error in errors:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:])
        if error["type"] == "json_invalid":
            where = ""
        hint = WANTED.get(error["loc"][-1], "")
        told.append({"field": where.lstrip(".") or "body", "problem": error["msg"], "wanted": hint})
    return told
