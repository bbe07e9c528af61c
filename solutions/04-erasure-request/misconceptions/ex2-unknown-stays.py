# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: what nobody has named is kept to be safe
# ---
def grounds(stores, person):
    """Return of each store the ground on which data stay, or None."""

    ends = person["contract_ends"]
    bound = ends is not None and person["as_of"] <= ends + 60

    def ground(kind):
        if kind == "commitment":
            return "anonymous"
        if kind == "contract" and bound:
            return "17(3)(b)"
        if kind in ("contract", "letter") and person["claim_open"]:
            return "17(3)(e)"
        return None

    known = ("commitment", "contract", "letter", "training", "log")
    if any(kind not in known for kind in stores.values()):
        return dict.fromkeys(stores, "unclear")
    return {name: ground(kind) for name, kind in stores.items()}
