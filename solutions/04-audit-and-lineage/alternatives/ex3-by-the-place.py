# ---
# answers: ex3
# why: the newest genuine head alone says what can be forged
# ---
def heads_of(drawer, key):
    found = []
    for text, signature in drawer:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
            found.append(heads.parse_checkpoint(text))
        except (InvalidSignature, heads.HeadError):
            pass
    return sorted(found, key=lambda head: head.size)


def compare(lines, drawer, key):
    sure, cut, anew = 0, False, False
    mine = heads_of(drawer, key)
    for head in mine:
        if head.size > len(lines):
            cut = True
        elif root_of(lines[: head.size]) == head.root:
            sure = head.size
        else:
            anew = True
    if not mine:
        return {"verdict": "no head", "sure": 0}
    return {"verdict": "rewritten" if anew else "cut" if cut else "as seen", "sure": sure}


def attack(lines, drawer, key, place, draft):
    now = compare(lines, drawer, key)
    old = json.loads(lines[place])
    if now["verdict"] != "as seen":
        return None
    if place < now["sure"] and any(old[name] != draft[name] for name in FIELDS):
        return None
    said = [json.loads(line) for line in lines]
    said[place] = draft
    return chain([{name: one[name] for name in FIELDS} for one in said])
