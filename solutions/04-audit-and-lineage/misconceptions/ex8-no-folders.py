# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: drops the folders, so that files of one name become one
# ---
def undeclared(sql, folder, declared):
    """Return the files that a step opens and does not declare."""
    with observed.opened(folder) as found:
        duckdb.sql(sql.replace("{folder}", folder)).fetchall()
    names = {path.name for path in found}
    return sorted(names - set(declared))
