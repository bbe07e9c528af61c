# ---
# answers: ex8
# loses: {ex8-test: 2, ex8-test-verify: 2}
# why: names a file by its size, which a changed number leaves as it is
# ---
def manifest(folder):
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        litter = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not litter:
            found[name.as_posix()] = str(path.stat().st_size)
    return found


def verify(folder, expected):
    there = manifest(folder)
    report = [f"missing {name}" for name in expected if name not in there]
    report += [f"new {name}" for name in there if name not in expected]
    report += [f"changed {name}" for name in there if name in expected and expected[name] != there[name]]
    return sorted(report)
