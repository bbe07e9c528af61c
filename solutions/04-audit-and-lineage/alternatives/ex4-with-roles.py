# ---
# answers: ex4
# why: checks the signature in Oakbank's own spelling, the rules as a list
# ---
from oakbank.governance.entries import canonical


def refusal(lines, request, staff):
    actor, payload = request["actor"], request["payload"]
    person = staff.get(actor, {})
    unsigned = {name: value for name, value in payload.items() if name != "signature"}

    def is_signed():
        try:
            key = Ed25519PublicKey.from_public_bytes(person["key"])
            key.verify(bytes.fromhex(payload["signature"]), canonical({**request, "payload": unsigned}))
        except Exception:
            return False
        return True

    entries = [json.loads(line) for line in lines]
    authors = [
        entry["actor"]
        for entry in entries
        if entry["kind"] == "train" and entry["payload"]["version"] == payload.get("version")
    ]
    if actor not in staff:
        return "unknown"
    if person["role"] != "risk officer":
        return "role"
    if not is_signed():
        return "signature"
    if not authors:
        return "no author"
    return "author" if authors[0] == actor else None
