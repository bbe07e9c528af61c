# ---
# answers: ex1
# why: Oakbank's own entries, read one by one
# ---
from oakbank.governance import entries


def chain(drafts):
    lines, previous = [], START
    for draft in drafts:
        entry = entries.sealed(draft | {"seq": len(lines), "previous": previous})
        lines.append(entry.line().decode())
        previous = entry.hash
    return lines


def first_bad(lines):
    previous = START
    for place, line in enumerate(lines):
        try:
            previous = entries.parse(line.encode(), place, previous).hash
        except ValueError:
            return place
    return None
