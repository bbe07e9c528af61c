# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes the subject for a pattern, in which a line stands for any sign
# ---
def erase_evidence(path, subject):
    """Erase a subject's data and salts; return the commitments."""
    with closing(sqlite3.connect(path)) as database:
        wanted = "SELECT commitment FROM personal WHERE subject LIKE ? ORDER BY commitment"
        found = [code for (code,) in database.execute(wanted, [subject])]
        change = "UPDATE personal SET subject = NULL, salt = NULL, content = NULL"
        database.execute(f"{change} WHERE subject LIKE ?", [subject])
        database.commit()
        database.execute("VACUUM")
    return found
