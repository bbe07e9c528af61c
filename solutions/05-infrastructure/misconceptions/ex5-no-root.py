# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: looks into dicts and lists only, so that a text alone has no place
# ---
def places(document, secret):
    """Return JSON Pointers to all texts in which the secret stands."""
    if not secret:
        raise ValueError("an empty secret stands everywhere")
    if not isinstance(document, (dict, list)):
        return []
    found = []
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in steps:
        step = str(key).replace("~", "~0").replace("/", "~1")
        if isinstance(value, str) and secret in value:
            found.append(f"/{step}")
        found += [f"/{step}{rest}" for rest in places(value, secret)]
    return found
