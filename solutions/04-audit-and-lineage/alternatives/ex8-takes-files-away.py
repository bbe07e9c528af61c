# ---
# answers: ex8
# why: takes one undeclared file away at a time, without inotify
# ---
import shutil


def undeclared(sql, folder, declared):
    def result(without):
        with tempfile.TemporaryDirectory() as other:
            for path in sorted(Path(folder).rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and name != without:
                    Path(other, name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, Path(other, name))
            try:
                return duckdb.sql(sql.replace("{folder}", other)).fetchall()
            except duckdb.Error:
                return "an error"

    everything = result(None)
    names = [path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()]
    return sorted(name for name in names if name not in declared and result(name) != everything)
