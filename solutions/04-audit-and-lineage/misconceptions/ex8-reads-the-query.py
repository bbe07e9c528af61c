# ---
# answers: ex8
# loses: {ex8-test: 2}
# why: looks for names in the text of the query, and a star is none
# ---
def undeclared(sql, folder, declared):
    """Return the files that a step opens and does not declare."""
    names = {name for name in sql.replace("'", " ").split() if name.endswith(".csv")}
    names = {name.removeprefix("{folder}/") for name in names}
    return sorted(names - set(declared))
