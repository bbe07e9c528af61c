# ---
# answers: ex3
# why: empties the folder and writes into it again, with Arrow
# ---
def erase_table(path, application):
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table(DeltaTable(path).to_pyarrow_table())
    kept = table.filter(pc.not_equal(table["application_id"], application))
    for one in Path(path).iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    write_deltalake(path, kept)
    return table.num_rows - kept.num_rows
