# ---
# answers: ex2
# why: case by case, with a helper for the path
# ---
def explain(errors):
    def field(error):
        if error["type"] == "json_invalid":
            return "body"
        text = ""
        for part in error["loc"]:
            if part == "body" and text == "":
                continue
            text += f"[{part}]" if type(part) is int else ("." if text else "") + part
        return text or "body"

    def hint(error):
        last = error["loc"][-1]
        if last in WANTED:
            return WANTED[last]
        if error["type"] == "extra_forbidden":
            return "leave this field out"
        return "one application as JSON, or a list of them"

    return [{"wanted": hint(error), "field": field(error), "problem": error["msg"]} for error in errors]
