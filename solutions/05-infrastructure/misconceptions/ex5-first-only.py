# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: stops at the first text of a dict or list that holds the secret
# ---
def places(document, secret):
    """Return JSON Pointers to all texts in which the secret stands."""
    if not secret:
        raise ValueError("an empty secret stands everywhere")
    if isinstance(document, str):
        return [""] if secret in document else []
    if not isinstance(document, (dict, list)):
        return []
    found = []
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in steps:
        step = str(key).replace("~", "~0").replace("/", "~1")
        found += [f"/{step}{rest}" for rest in places(value, secret)]
        if found and isinstance(value, str):
            break
    return found
