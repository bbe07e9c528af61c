# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: leaves out hidden files, and keeps the files inside hidden folders
# ---
def manifest(folder):
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        litter = name.name.startswith(".") or name.parent.name == "__pycache__"
        if path.is_file() and not litter:
            found[name.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def verify(folder, expected):
    there = manifest(folder)
    report = [f"missing {name}" for name in expected if name not in there]
    report += [f"new {name}" for name in there if name not in expected]
    report += [f"changed {name}" for name in there if name in expected and expected[name] != there[name]]
    return sorted(report)
