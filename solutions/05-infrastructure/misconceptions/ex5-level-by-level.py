# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: tells the texts of a dict before those of what stands in it
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
        steps = value.items() if isinstance(value, dict) else []
        if isinstance(value, list):
            steps = enumerate(value)
        for key, part in steps:
            step = str(key).replace("~", "~0").replace("/", "~1")
            todo.append((f"{pointer}/{step}", part))
    return found
