# ---
# answers: ex5
# why: row by row, without transactions
# ---
def erase_evidence(path, subject):
    database = sqlite3.connect(path, isolation_level=None)
    rows = database.execute("SELECT commitment FROM personal WHERE subject = ?", (subject,)).fetchall()
    for (commitment,) in rows:
        database.execute(
            "UPDATE personal SET subject = NULL, salt = NULL, content = NULL WHERE commitment = ?", (commitment,)
        )
    database.execute("VACUUM")
    database.close()
    return sorted(row[0] for row in rows)
