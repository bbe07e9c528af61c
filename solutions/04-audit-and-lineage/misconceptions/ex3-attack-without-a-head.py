# ---
# answers: ex3
# loses: {ex3-test-attack: 2}
# why: takes a drawer without a genuine head for a drawer that says nothing against the log
# ---
def compare(lines, drawer, key):
    """Return "sure" and "verdict" of a log, by the heads in a drawer."""
    seen = genuine(drawer, key)
    long_enough = [size for size in seen if size <= len(lines)]
    agrees = [size for size in long_enough if root_of(lines[:size]) == seen[size]]
    if not seen:
        verdict = "no head"
    elif len(agrees) < len(long_enough):
        verdict = "rewritten"
    else:
        verdict = "cut" if len(agrees) < len(seen) else "as seen"
    return {"sure": max(agrees, default=0), "verdict": verdict}


def genuine(drawer, key):
    """Return root by size of the heads that the auditor has signed."""
    seen, auditor = {}, Ed25519PublicKey.from_public_bytes(key)
    for text, signature in drawer:
        try:
            auditor.verify(signature, text.encode())
        except InvalidSignature:
            continue
        name, size, root = text.splitlines()
        if name == "oakbank.example/audit":
            seen[int(size)] = base64.b64decode(root).hex()
    return seen


def attack(lines, drawer, key, place, draft):
    """Return a log that says the draft at a place and looks sound, or None."""
    entries = [json.loads(line) for line in lines]
    drafts = [{name: entry[name] for name in FIELDS} for entry in entries]
    forged = chain([*drafts[:place], draft, *drafts[place + 1 :]])
    return None if compare(forged, drawer, key)["verdict"] in ("rewritten", "cut") else forged
