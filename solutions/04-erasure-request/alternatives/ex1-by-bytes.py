# ---
# answers: ex1
# why: one function a kind, and a pattern a value
# ---
def whereabouts(folder, values):
    def cells(path):
        if path.name.endswith(".gz"):
            yield gzip.open(path, "rt", encoding="utf-8").read()
        elif path.name.endswith(".parquet"):
            for _, column in pd.read_parquet(path).items():
                yield from map(str, column)
        elif path.name.endswith(".db"):
            with closing(sqlite3.connect(path)) as database:
                for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    for row in database.execute(f'SELECT * FROM "{name}"'):
                        yield from map(str, row)
        else:
            yield path.read_text(encoding="utf-8")

    def stands(value, text):
        if isinstance(value, int):
            return str(value) in re.findall(r"[0-9]+", text)
        return value in text

    root, found = Path(folder), set()
    for path in (each for each in root.rglob("*") if each.is_file()):
        if any(stands(value, text) for text in [path.name, *cells(path)] for value in values):
            found.add(path.relative_to(root).as_posix())
    return sorted(found)
