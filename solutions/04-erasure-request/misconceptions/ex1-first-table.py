# ---
# answers: ex1
# loses: {ex1-test: 4}
# why: looks into the first table of a database only
# ---
def whereabouts(folder, values):
    """Return the files in which one of the values stands."""

    def text_of(path):
        if path.suffix == ".gz":
            return gzip.decompress(path.read_bytes()).decode()
        if path.suffix == ".parquet":
            return "\n".join(map(str, pd.read_parquet(path).to_numpy().ravel()))
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as database:
                tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
                names = [name for (name,) in database.execute(tables)]
                tables = [database.execute(f"SELECT * FROM {name}") for name in names[:1]]
                rows = [row for table in tables for row in table]
            return "\n".join(str(cell) for row in rows for cell in row)
        return path.read_text(encoding="utf-8")

    def whole(value):
        return rf"(?<!\d){value}(?!\d)" if isinstance(value, int) else re.escape(value)

    pattern, found = re.compile("|".join(map(whole, values))), []
    for path in Path(folder).rglob("*"):
        if path.is_file() and (pattern.search(path.name) or pattern.search(text_of(path))):
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)
