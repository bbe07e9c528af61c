# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: writes pandas' index as a column
# ---
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    table = DeltaTable(path).to_pandas()
    kept = table[table["application_id"] != application]
    fresh = tempfile.mkdtemp()
    write_deltalake(fresh, kept)
    shutil.rmtree(path)
    shutil.move(fresh, path)
    return len(table) - len(kept)
