# ---
# answers: ex2
# loses: {ex2-test-batch: 1}
# why: names the field and not the application of the batch
# ---
def explain(errors):
    """Return errors as a list of field, problem and wanted."""
    told = []
    for error in errors:
        where = str(error["loc"][-1]) if len(error["loc"]) > 1 else ""
        if error["type"] == "json_invalid":
            where = ""
        hint = WANTED.get(error["loc"][-1], "JSON with the fields " + ", ".join(FEATURES))
        told.append({"field": where.lstrip(".") or "body", "problem": error["msg"], "wanted": hint})
    return told
