# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: asks Python's own hook, which does not see what a library in C++ opens
# ---
import sys


def undeclared(sql, folder, declared):
    """Return the files that a step opens and does not declare."""
    seen = []

    def hook(event, arguments):
        if event == "open" and str(arguments[0]).startswith(folder):
            seen.append(Path(arguments[0]))

    sys.addaudithook(hook)
    duckdb.sql(sql.replace("{folder}", folder)).fetchall()
    names = {path.relative_to(folder).as_posix() for path in seen}
    return sorted(names - set(declared))
