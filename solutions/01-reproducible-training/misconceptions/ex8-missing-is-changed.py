# ---
# answers: ex8
# loses: {ex8-test-verify: 2}
# why: calls a file that is gone changed
# ---
def manifest(folder):
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        litter = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not litter:
            found[name.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def verify(folder, expected):
    there = manifest(folder)
    report = [f"changed {name}" for name in expected if expected[name] != there.get(name)]
    report += [f"new {name}" for name in there if name not in expected]
    return sorted(report)
