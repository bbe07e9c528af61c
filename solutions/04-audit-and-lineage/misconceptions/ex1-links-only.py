# ---
# answers: ex1
# loses: {ex1-test-verify: 2}
# why: follows the links and never hashes an entry again, so an edit does not show
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
    previous = START
    for seq, line in enumerate(lines):
        try:
            entry = json.loads(line)
            told = entry["previous"], entry["seq"]
        except (ValueError, KeyError, TypeError):
            return seq
        if told != (previous, seq):
            return seq
        previous = entry["hash"]
    return None
