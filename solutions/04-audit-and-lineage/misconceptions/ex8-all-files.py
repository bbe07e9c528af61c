# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: takes every file of the folder for opened
# ---
def undeclared(sql, folder, declared):
    """Return the files that a step opens and does not declare."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix() for path in files}
    return sorted(names - set(declared))
