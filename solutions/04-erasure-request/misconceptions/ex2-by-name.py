# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: goes by what a store is called, and not by its kind
# ---
def grounds(stores, person):
    """Return of each store the ground on which data stay, or None."""

    ends = person["contract_ends"]
    bound = ends is not None and person["as_of"] <= ends + 60

    def ground(name, kind):
        if name == "log":
            return "anonymous"
        if kind == "contract" and bound:
            return "17(3)(b)"
        if kind in ("contract", "letter") and person["claim_open"]:
            return "17(3)(e)"
        return None

    return {name: ground(name, kind) for name, kind in stores.items()}
