# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: stops where the newest version has no such row
# ---
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    table = DeltaTable(path).to_pandas()
    kept = table[table["application_id"] != application].reset_index(drop=True)
    if len(kept) == len(table):
        return 0
    fresh = tempfile.mkdtemp()
    write_deltalake(fresh, kept)
    shutil.rmtree(path)
    shutil.move(fresh, path)
    return len(table) - len(kept)
