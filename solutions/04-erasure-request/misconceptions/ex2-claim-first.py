# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: names the claim where the duty of law holds, too
# ---
def grounds(stores, person):
    """Return of each store the ground on which data stay, or None."""

    ends = person["contract_ends"]
    bound = ends is not None and person["as_of"] <= ends + 60

    def ground(kind):
        if kind == "commitment":
            return "anonymous"
        if kind in ("contract", "letter") and person["claim_open"]:
            return "17(3)(e)"
        if kind == "contract" and bound:
            return "17(3)(b)"
        return None

    return {name: ground(kind) for name, kind in stores.items()}
