# ---
# answers: ex1
# loses: {ex1-test-verify: 2}
# why: takes the number from the line, so a log that begins elsewhere or has a gap holds
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
            draft = {name: entry[name] for name in FIELDS}
            wanted, previous = sealed(draft, entry["seq"], previous)
        except (ValueError, KeyError, TypeError):
            return seq
        if line != wanted:
            return seq
    return None
