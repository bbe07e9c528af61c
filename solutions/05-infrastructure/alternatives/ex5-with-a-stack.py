# ---
# answers: ex5
# why: walks without calling itself
# ---
def places(document, secret):
    if secret == "":
        raise ValueError("empty")
    found, todo = [], [("", document)]
    while todo:
        pointer, value = todo.pop()
        if isinstance(value, str) and secret in value:
            found.append(pointer)
        if isinstance(value, dict):
            steps = list(value.items())
        elif isinstance(value, list):
            steps = list(enumerate(value))
        else:
            continue
        for key, inner in reversed(steps):
            step = str(key).translate({ord("~"): "~0", ord("/"): "~1"})
            todo.append((pointer + "/" + step, inner))
    return found
