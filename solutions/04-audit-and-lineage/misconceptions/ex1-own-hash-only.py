# ---
# answers: ex1
# loses: {ex1-test-verify: 2}
# why: checks each entry by itself, so that one may be taken out or moved
# ---
def chain(drafts):
    """Return the lines of a log that says the drafts."""
    lines, previous = [], START
    for seq, draft in enumerate(drafts):
        line, previous = sealed(draft, seq, previous)
        lines.append(line)
    return lines


def spelled(entry):
    """Return the one spelling of an entry."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))


def sealed(draft, seq, previous):
    """Return the line of a draft, and its hash."""
    entry = draft | {"seq": seq, "previous": previous}
    digest = hashlib.sha256(spelled(entry).encode()).hexdigest()
    return spelled(entry | {"hash": digest}), digest


def first_bad(lines):
    """Return the place of the first line that does not hold, or None."""
    for place, line in enumerate(lines):
        try:
            entry = json.loads(line)
            given = entry.pop("hash")
        except (ValueError, KeyError, TypeError, AttributeError):
            return place
        if hashlib.sha256(spelled(entry).encode()).hexdigest() != given:
            return place
    return None
