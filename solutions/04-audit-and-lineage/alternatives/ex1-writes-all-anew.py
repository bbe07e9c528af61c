# ---
# answers: ex1
# why: writes the longest beginning anew and compares whole lines
# ---
def chain(drafts):
    made = []
    before = START
    for number in range(len(drafts)):
        entry = dict(drafts[number], seq=number, previous=before)
        text = json.dumps(dict(sorted(entry.items())), sort_keys=True, separators=(",", ":"))
        before = hashlib.sha256(text.encode("ascii")).hexdigest()
        entry["hash"] = before
        made.append(json.dumps(entry, sort_keys=True, separators=(",", ":")))
    return made


def first_bad(lines):
    drafts = []
    for line in lines:
        try:
            told = json.loads(line)
            drafts.append({name: told[name] for name in FIELDS})
        except Exception:
            break
    anew = chain(drafts)
    for place in range(len(lines)):
        if anew[place : place + 1] != [lines[place]]:
            return place
    return None
