# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: refuses developers only, so that whoever has a third role may promote
# ---
def refusal(lines, request, staff):
    """Return why a promotion may not be recorded, or None."""
    person = staff.get(request["actor"])
    if person is None:
        return "unknown"
    if person["role"] == "developer":
        return "role"
    payload = dict(request["payload"])
    try:
        signature = bytes.fromhex(payload.pop("signature"))
        text = json.dumps(request | {"payload": payload}, sort_keys=True, separators=(",", ":"))
        public = Ed25519PublicKey.from_public_bytes(person["key"])
        public.verify(signature, text.encode())
    except (KeyError, ValueError, InvalidSignature):
        return "signature"
    for line in lines:
        entry = json.loads(line)
        mine = entry["payload"].get("version") == payload["version"]
        if entry["kind"] == "train" and mine:
            return "author" if entry["actor"] == request["actor"] else None
    return "no author"
