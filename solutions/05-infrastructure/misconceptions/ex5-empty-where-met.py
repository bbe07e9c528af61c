# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: refuses an empty secret only where it meets a text
# ---
def places(document, secret):
    """Return JSON Pointers to all texts in which the secret stands."""
    if isinstance(document, str):
        if not secret:
            raise ValueError("an empty secret stands everywhere")
        return [""] if secret in document else []
    if not isinstance(document, (dict, list)):
        return []
    found = []
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in steps:
        step = str(key).replace("~", "~0").replace("/", "~1")
        found += [f"/{step}{rest}" for rest in places(value, secret)]
    return found
