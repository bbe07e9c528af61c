# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: plans the query and never fetches a row, so most Parquet files stay shut
# ---
def undeclared(sql, folder, declared):
    """Return the files that a step opens and does not declare."""
    with observed.opened(folder) as found:
        duckdb.sql(sql.replace("{folder}", folder))
    names = {path.relative_to(folder).as_posix() for path in found}
    return sorted(names - set(declared))
