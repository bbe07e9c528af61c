# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: makes the query and does not fetch its rows
# ---
def undeclared(query, folder, declared):
    """Return the files that a step opens and does not declare."""
    with observed.opened(folder) as found:
        duckdb.sql(query.replace("{folder}", folder))
    names = {path.relative_to(folder).as_posix() for path in found}
    return sorted(names - set(declared))
