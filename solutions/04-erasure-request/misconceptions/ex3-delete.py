# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: deletes rows, and the old version stays
# ---
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    told = DeltaTable(path).delete(f"application_id = {application}")
    return told["num_deleted_rows"]
