# ---
# answers: ex5
# why: sorts by a recursion of its own, writes line by line, hashes what it reads back
# ---
def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(inner) for inner in value] if isinstance(value, list) else value


def write_model(model, path):
    with open(path, "w", newline="\n") as stream:
        json.dump(ordered(model), stream, indent=2)
        stream.write("\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()
