# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: walks with a stack, which turns the order round
# ---
def places(document, secret):
    """Return JSON Pointers to all texts in which the secret stands."""
    if not secret:
        raise ValueError("an empty secret stands everywhere")
    found, todo = [], [("", document)]
    while todo:
        pointer, value = todo.pop(0)
        if isinstance(value, str) and secret in value:
            found.append(pointer)
        if isinstance(value, dict):
            steps = value.items()
        else:
            steps = reversed([*enumerate(value)]) if isinstance(value, list) else []
        inner = []
        for key, part in steps:
            step = str(key).replace("~", "~0").replace("/", "~1")
            inner.append((f"{pointer}/{step}", part))
        todo = inner + todo
    return found
