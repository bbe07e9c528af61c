# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: removes the old files, and their statistics stay in the log
# ---
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    table = DeltaTable(path)
    told = table.delete(f"application_id = {application}")
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    return told["num_deleted_rows"]
