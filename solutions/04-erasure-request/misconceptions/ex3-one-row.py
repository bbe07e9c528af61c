# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: erases the first row of the application only
# ---
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    table = DeltaTable(path).to_pandas()
    rows = table.index[table["application_id"] == application]
    kept = table.drop(index=rows[:1]).reset_index(drop=True)
    fresh = tempfile.mkdtemp()
    write_deltalake(fresh, kept)
    shutil.rmtree(path)
    shutil.move(fresh, path)
    return len(table) - len(kept)
