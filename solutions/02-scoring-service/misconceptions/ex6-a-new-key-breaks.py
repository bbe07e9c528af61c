# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: takes a new key for a broken promise
# ---
def broken_by(before, after):
    """Return the positions of answers that would break a client."""

    def kind(value):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return "number"
        return type(value).__name__

    def keeps(old, new):
        if kind(old) != kind(new):
            return False
        if not isinstance(old, dict):
            return True
        return set(old) == set(new) and all(key in new and keeps(value, new[key]) for key, value in old.items())

    def served(answer):
        return 200 <= answer["status"] < 300

    return [
        position
        for position, (old, new) in enumerate(zip(before, after, strict=True))
        if served(old) and not (served(new) and keeps(old["body"], new["body"]))
    ]
