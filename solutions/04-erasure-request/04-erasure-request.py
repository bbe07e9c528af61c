# %% [markdown]
# # 04 Erasure request
#
# A letter: *I want you to erase my data.* You find where the bank has them, and say what may
# stay and why. You erase in three places that keep more than they show: a Delta table,
# MLflow's store, and the store beside the audit log. Then you train the next model so that
# nobody can tell that the person was ever there, and write the receipt.
#
# You need lessons 04/01, 04/02, 04/05 and 04/06. About 90 minutes; seven exercises, 22 points.
# `python3 bootstrap.py check 04-erasure-request` runs the tests that you see. A grader's
# tests go further, with other people and other files; the first line of each test says
# where. This is no legal advice: the articles are those of the GDPR, as of November 2026.

# %% locked="setup"
import gzip
import hashlib
import hmac
import io
import json
import logging
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing, redirect_stdout
from functools import partial
from pathlib import Path
from unittest.mock import patch

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import ViewType

from oakbank.pipelines.tracking_store import create_database
from oakbank.world import World
from oakbank.world.files import sqlite_url

logging.getLogger("mlflow").setLevel(logging.ERROR)


def scratch():
    """Return a new empty folder."""
    return Path(tempfile.mkdtemp())


def fails(function, *arguments):
    """Whether a call raises ValueError."""
    try:
        function(*arguments)
    except ValueError:
        return True
    return False


# %% [markdown]
# ## Exercise 1: where is the person?
#
# `whereabouts(folder, values)` returns a list of the files below `folder` (text, relative to
# it, with `/`, sorted) in which one of `values` stands, each once.
# - `values` is a list of text, such as a name, and of whole numbers, such as an id. A text
#   counts as part of a longer one, in the same case. A number must stand alone: 42 is in the
#   text "42, 7", but not in 420 or 142.
# - By ending: `.gz` is text that gzip packed; `.parquet` a table, read it with pandas; `.db`
#   an SQLite file, look into every row of every table. All else is UTF-8 text.
# - The file's own name, not that of its folder, may give the person away, too.


# %% answer="ex1"
def whereabouts(folder, values):
    """Return the files in which one of the values stands."""

    ### BEGIN SOLUTION
    def text_of(path):
        if path.suffix == ".gz":
            return gzip.decompress(path.read_bytes()).decode()
        if path.suffix == ".parquet":
            return "\n".join(map(str, pd.read_parquet(path).to_numpy().ravel()))
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as database:
                tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
                names = [name for (name,) in database.execute(tables)]
                tables = [database.execute(f"SELECT * FROM {name}") for name in names]
                rows = [row for table in tables for row in table]
            return "\n".join(str(cell) for row in rows for cell in row)
        return path.read_text(encoding="utf-8")

    def whole(value):
        return rf"(?<!\d){value}(?!\d)" if isinstance(value, int) else re.escape(value)

    pattern, found = re.compile("|".join(map(whole, values))), []
    for path in Path(folder).rglob("*"):
        if not path.is_file():
            continue
        if pattern.search(path.name) or pattern.search(text_of(path)):
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)
    ### END SOLUTION


# %% locked="files"
def planted(application, name, other):
    """Return a folder with files, and those of them in which the person stands."""
    root = scratch()
    for place in ("lake", "letters", "logs"):
        (root / place).mkdir()
    ids = [other, application]
    wide = pd.DataFrame({"application_id": ids, "income": [1900, 2700]})
    wide.to_parquet(root / "lake" / "one.parquet")
    wide.head(1).to_parquet(root / "lake" / "two.parquet")
    tall = pd.DataFrame({"name": ["Ada Isdahl", name], "row": [1, 2]})
    tall.to_parquet(root / "lake" / "three.parquet")
    for number in (application, other, 10 * application + 1):
        text = f"Dear customer, your loan of {number % 7} EUR"
        (root / "letters" / f"{number}.txt").write_text(text, encoding="utf-8")
    told = [json.dumps({"application": number}) for number in (application * 10, other)]
    (root / "logs" / "now.jsonl").write_text("\n".join(told), encoding="utf-8")
    told.append(json.dumps({"application": application}))
    packed = gzip.compress("\n".join(told).encode())
    (root / "logs" / "old.jsonl.gz").write_bytes(packed)
    packed = gzip.compress(f"5{application}, {application}5".encode())
    (root / "logs" / "none.jsonl.gz").write_bytes(packed)
    for file, number, who in (("a", application, name), ("b", other, "Ben Kelski")):
        with closing(sqlite3.connect(root / f"{file}.db")) as database:
            database.execute("CREATE TABLE first (x INTEGER)")
            database.execute("CREATE TABLE second (application INTEGER, who TEXT)")
            rows = [(77, "Ann Elder"), (number, who)]
            database.executemany("INSERT INTO second VALUES (?, ?)", rows)
            database.execute("COMMIT")
    letter = f"letters/{application}.txt"
    by_number = ["a.db", "lake/one.parquet", letter, "logs/old.jsonl.gz"]
    return root, by_number, ["a.db", "lake/three.parquet"]


# %% test="ex1" points=4
# Covers a number in every kind of file. Not shown: names, both, other folders.
root_1, by_number_1, by_name = planted(1040000123, "Zoe Halstein", 1040000124)
found_1 = whereabouts(str(root_1), [1040000123])
assert found_1 is not None, "whereabouts returned nothing: return a list."
assert isinstance(found_1, list), f"Return a list, not {type(found_1).__name__}."
assert all(isinstance(name, str) for name in found_1), "Want the files' names as text."
assert "lake/one.parquet" in found_1, "The number is in the table lake/one.parquet."
assert "logs/old.jsonl.gz" in found_1, "The number is in a packed log."
assert "a.db" in found_1, "The number is in the second table of a.db."
assert "letters/1040000123.txt" in found_1, "A letter's name is the number."
assert "letters/10400001231.txt" not in found_1, "10400001231 is another number."
want_1 = sorted(by_number_1)
assert found_1 == want_1, f"Expected {want_1}, found {found_1}."
### BEGIN HIDDEN TESTS
assert whereabouts(str(root_1), ["Zoe Halstein"]) == by_name, "A name should be found."
both_1 = whereabouts(str(root_1), [1040000123, "Zoe Halstein"])
either = sorted({*by_number_1, *by_name})
assert both_1 == either, "Each file counts once, for any value."
assert whereabouts(str(root_1), [777777777]) == [], "Who is nowhere is found nowhere."
root_1, by_number_1, by_name = planted(990000001, "Miles O'Farwood (jr.)", 980000007)
again = whereabouts(str(root_1), [990000001])
assert again == sorted(by_number_1), "Another person should be found just so."
signs = whereabouts(str(root_1), ["Miles O'Farwood (jr.)"])
assert signs == by_name, "A name with signs in it should be found as it stands."
(root_1 / "lake" / "deep").mkdir()
(root_1 / "lake" / "deep" / "x.csv").write_text("a,b\n990000001,2\n", encoding="utf-8")
(root_1 / "a").mkdir()
(root_1 / "a" / "z.md").write_text("of 990000001", encoding="utf-8")
(root_1 / "990000001").mkdir()
(root_1 / "990000001" / "empty.txt").write_text("", encoding="utf-8")
told_1 = ["nothing"] * 100
told_1[50] = "Mr Miles O'Farwood (jr.), see 990000001"
pd.DataFrame({"note": told_1}).to_parquet(root_1 / "lake" / "hundred.parquet")
cut = pd.DataFrame({"x": ["9900", "00001"], "y": ["00001", "9900"]})
cut.to_parquet(root_1 / "lake" / "cut.parquet")
with closing(sqlite3.connect(root_1 / "cut.db")) as pieces:
    pieces.execute("CREATE TABLE pieces (x TEXT, y TEXT)")
    pieces.executemany("INSERT INTO pieces VALUES (?, ?)", cut.values.tolist())
    pieces.commit()
(root_1 / "letters" / "To Miles O'Farwood (jr.).txt").write_text("Hi", encoding="utf-8")
deep = whereabouts(str(root_1), [990000001])
assert "lake/deep/x.csv" in deep, "A folder in a folder should be looked into."
why_1 = "Every row of a table should be read, and a cell may say more than the value."
assert "lake/hundred.parquet" in deep, why_1
why_1 = "Each cell stands for itself: pieces in two cells are no number."
assert not {"cut.db", "lake/cut.parquet"} & {*deep}, why_1
why_1 = "The name of a folder should not count, only the file's own."
assert "990000001/empty.txt" not in deep, why_1
assert deep == sorted(deep), "The names should be sorted as text, not as paths."
named_1 = whereabouts(str(root_1), ["Miles O'Farwood (jr.)"])
why_1 = "A text should be found within a longer cell."
assert "lake/hundred.parquet" in named_1, why_1
why_1 = "A name in the name of a file should be found."
assert "letters/To Miles O'Farwood (jr.).txt" in named_1, why_1
other_case = whereabouts(str(root_1), ["miles o'farwood (jr.)"])
assert other_case == [], "A text in another case should not count."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: what may stay?
#
# `grounds(stores, person)` returns a dict: for each store `None` if the person's data must
# go, or the ground on which they stay.
# - `stores` is a dict from a store's name to its kind, such as
#   `{"files": "contract", "desk": "letter", "lake": "training"}`.
# - `person` is a dict: `"contract_ends"` (month, or `None`: there was no contract),
#   `"claim_open"` (bool) and `"as_of"` (month of the request).
#
# | kind | stays | ground |
# |---|---|---|
# | `"contract"` | up to the 60th month after its end, that month too | `"17(3)(b)"`, a legal duty |
# | `"contract"`, `"letter"` | while a claim is open | `"17(3)(e)"`, legal claims |
# | `"commitment"` | always: once the salt is gone it is about nobody | `"anonymous"` |
# | any other | never | |
#
# Where both articles hold, name `"17(3)(b)"`.


# %% answer="ex2"
def grounds(stores, person):
    """Return of each store the ground on which data stay, or None."""

    ### BEGIN SOLUTION
    ends = person["contract_ends"]
    bound = ends is not None and person["as_of"] <= ends + 60

    def ground(kind):
        if kind == "commitment":
            return "anonymous"
        if kind == "contract" and bound:
            return "17(3)(b)"
        if kind in ("contract", "letter") and person["claim_open"]:
            return "17(3)(e)"
        return None

    return {name: ground(kind) for name, kind in stores.items()}
    ### END SOLUTION


# %% test="ex2" points=3
# Covers a contract that runs, and a claim. Not shown: both, ends, other kinds.
three = {"files": "contract", "desk": "letter", "lake": "training"}
stores_2 = {**three, "log": "commitment"}
found_2 = grounds(stores_2, {"contract_ends": 30, "claim_open": False, "as_of": 12})
assert found_2 is not None, "grounds returned nothing: return a dict."
assert isinstance(found_2, dict), f"Return a dict, not {type(found_2).__name__}."
assert set(found_2) == set(stores_2), f"Want each store once, not {sorted(found_2)}."
assert found_2["files"] == "17(3)(b)", "The law keeps the file of a contract."
assert found_2["desk"] is None, "No claim is open, so the letter goes."
assert found_2["lake"] is None, "Training data never stay."
assert found_2["log"] == "anonymous", "The commitment in the log stays."
claim = {"contract_ends": None, "claim_open": True, "as_of": 12}
assert grounds(three, claim)["desk"] == "17(3)(e)", "An open claim keeps the letter."
### BEGIN HIDDEN TESTS
declined = {"contract_ends": None, "claim_open": False, "as_of": 12}
assert grounds({"c": "contract", "l": "letter"}, declined) == {
    "c": None,
    "l": None,
}, "Without a contract and a claim nothing of the file should stay."
kinds = {"c": "contract", "l": "letter", "log": "training", "p": "commitment"}
claims = grounds(kinds, declined | {"claim_open": True})
why_2 = "The kind decides, not what a store is called."
assert claims.get("p") == "anonymous", why_2
assert claims.get("log") is None, why_2
kept_2 = {"c": "17(3)(e)", "l": "17(3)(e)", "log": None, "p": "anonymous"}
why_2 = "A claim keeps contract and letter, no other kind; each store is in the dict."
assert claims == kept_2, why_2
edge = {"contract_ends": 20, "claim_open": False, "as_of": 80}
last = grounds({"c": "contract"}, edge)
assert last == {"c": "17(3)(b)"}, "The 60th month after the end still counts."
zero = grounds({"c": "contract"}, edge | {"contract_ends": 0, "as_of": 10})
assert zero == {"c": "17(3)(b)"}, "Month 0 is an end too: test `is not None`."
both_2 = {"contract_ends": 20, "claim_open": True, "as_of": 30}
first = grounds({"c": "contract"}, both_2)
assert first == {"c": "17(3)(b)"}, "The duty of law should go first."
late = both_2 | {"as_of": 81}
second = grounds({"c": "contract"}, late)
assert second == {"c": "17(3)(e)"}, "After 60 months the claim keeps it."
late["claim_open"] = False
third = grounds({"c": "contract"}, late)
assert third == {"c": None}, "After 60 months no duty keeps it."
fifth = grounds({"b": "backup"}, both_2)
assert fifth == {"b": None}, "A kind that is not named should go."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: a Delta table
#
# `DeltaTable(path).delete(...)` writes new files. The old ones stay, so that one can go
# back, and the log has the smallest and the largest id of every file.
#
# `erase_table(path, application)` erases one application, the column `application_id`, from
# the Delta table in the folder `path`, in **every** file of the folder: none may name the id
# any more. It returns how many rows of the newest version it erased (int).
# - The rows of all others stay as they are, in any order; old versions may be lost.
# - The columns stay, too. pandas' index is no column: `reset_index(drop=True)`.
# - If the newest version has no such row, an older one may have it still.


# %% locked="delta"
# Not with the other imports: this one starts a thread.
from deltalake import DeltaTable, write_deltalake


# %% answer="ex3"
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    ### BEGIN SOLUTION
    table = DeltaTable(path).to_pandas()
    kept = table[table["application_id"] != application].reset_index(drop=True)
    fresh = tempfile.mkdtemp()
    write_deltalake(fresh, kept)
    shutil.rmtree(path)
    shutil.move(fresh, path)
    return len(table) - len(kept)
    ### END SOLUTION


# %% locked="table"
def table_of(*months):
    """Return the path of a Delta table, appended to once for each list of ids."""
    path = str(scratch() / "decisions")
    for ids in months:
        rows = {"application_id": ids, "granted": [number % 2 == 0 for number in ids]}
        write_deltalake(path, pd.DataFrame(rows), mode="append")
    return path


def names(path, application):
    """Return the files of a Delta table that name an application."""
    found = []
    for file in sorted(Path(path).rglob("*")):
        if file.suffix == ".parquet" and not file.name.endswith(".checkpoint.parquet"):
            inside = (pd.read_parquet(file)["application_id"] == application).any()
        else:
            inside = file.is_file() and str(application).encode() in file.read_bytes()
        found += [file.name] if inside else []
    return found


def ids_of(path):
    """Return the ids of the newest version, sorted."""
    return sorted(DeltaTable(path).to_pandas()["application_id"].tolist())


# %% test="ex3" points=3
# Covers a table of two months. Not shown: rows deleted before, people who come twice.
path_3 = table_of([5101, 5102, 5103], [5201, 5202])
gone_3 = erase_table(path_3, 5102)
assert gone_3 is not None, "erase_table returned nothing: return a number of rows."
assert gone_3 == 1, "One row of the newest version is of 5102."
assert ids_of(path_3) == [5101, 5103, 5201, 5202], "The others stay as they were."
assert names(path_3, 5102) == [], f"5102 still stands in {names(path_3, 5102)}."
### BEGIN HIDDEN TESTS
why_3 = "The table should have its columns as before: pandas' index is no column, "
why_3 += "use reset_index(drop=True)."
columns_3 = list(DeltaTable(path_3).to_pandas().columns)
assert columns_3 == ["application_id", "granted"], why_3
assert erase_table(path_3, 5102) == 0, "A second time there is nothing to erase."
path_3 = table_of([6101, 6102, 6103], [6103, 6204], [6301, 6301])
before_3 = DeltaTable(path_3).to_pandas().dtypes.astype(str).to_dict()
assert erase_table(path_3, 6103) == 2, "Each row of the application should be erased."
rest_3 = [6101, 6102, 6204, 6301, 6301]
assert ids_of(path_3) == rest_3, "Of the others no row should be lost."
after_3 = DeltaTable(path_3).to_pandas().dtypes.astype(str).to_dict()
assert after_3 == before_3, "The columns should keep their types."
why_3 = "The log should not have the largest id of an old file."
assert names(path_3, 6103) == [], why_3
granted = DeltaTable(path_3).to_pandas().set_index("application_id")["granted"]
want = {6101: False, 6102: True, 6204: True, 6301: False}
assert granted.to_dict() == want, "The other columns should stay as they are."
path_3 = table_of([7101, 7102, 7103])
DeltaTable(path_3).delete("application_id = 7103")
assert erase_table(path_3, 7103) == 0, "The newest version has no row of it."
why_3 = "An old version and the log should not have it either."
assert names(path_3, 7103) == [], why_3
assert ids_of(path_3) == [7101, 7102], "The newest version should stay as it was."
columns_3 = list(DeltaTable(path_3).to_pandas().columns)
assert columns_3 == ["application_id", "granted"], why_3
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: MLflow's store
#
# `erase_runs(uri, application)` removes for good each run of the store at `uri` that names
# the application, in any experiment (`search_experiments`): in the value of a tag or of a
# parameter (as text, exactly the number), or in an artefact `input_example.json` at the top
# of its artefacts, which is `{"columns": [...], "data": [[...], ...]}` with a column
# `application_id`. It returns the ids of these runs, sorted.
# - A run that a colleague has *deleted* is still there, with its artefacts
#   (`ViewType.ALL` finds it). So is one that you delete, until `mlflow gc` is run. From Python:
#   `from mlflow.cli import gc` within your function (it takes a second), then
#   `gc.main(arguments, standalone_mode=False)`, where `arguments` is a list of text:
#   `--backend-store-uri`, uri, `--tracking-uri`, uri, `--run-ids`, and the ids with commas.
# - Other runs stay as they are: those deleted by colleagues may be wanted back.
# - Artefacts lie in a local folder: `run.info.artifact_uri` is its URI, `file://` and a path.
#   `mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/input_example.json")` reads it, of
#   deleted runs too, and raises `MlflowException` where a run has none.


# %% answer="ex4"
def erase_runs(uri, application):
    """Remove for good the runs that name an application."""

    ### BEGIN SOLUTION
    client, found = mlflow.MlflowClient(uri), []
    ids = [one.experiment_id for one in client.search_experiments()]

    def shown(run):
        folder = Path(run.info.artifact_uri.removeprefix("file://"))
        file = folder / "input_example.json"
        if not file.exists():
            return []
        example = json.loads(file.read_text(encoding="utf-8"))
        place = example["columns"].index("application_id")
        return [row[place] for row in example["data"]]

    for run in client.search_runs(ids, run_view_type=ViewType.ALL):
        told = {*run.data.tags.values(), *run.data.params.values()}
        if str(application) in told or application in shown(run):
            found.append(run.info.run_id)
            if run.info.lifecycle_stage == "active":
                client.delete_run(run.info.run_id)
    if found:
        places = ["--backend-store-uri", uri, "--tracking-uri", uri]
        from mlflow.cli import gc

        gc.main([*places, "--run-ids", ",".join(found)], standalone_mode=False)
    return sorted(found)
    ### END SOLUTION


# %% locked="tracking"
def tracked(*runs):
    """Return the URI of a new store, and the ids of its runs, each a dict as below."""
    folder = scratch()
    create_database(folder / "mlflow.db")
    uri = sqlite_url(folder / "mlflow.db")
    client, ids = mlflow.MlflowClient(uri), []
    experiments = {}
    for told in runs:
        name = told.get("experiment", "notebook")
        if name not in experiments:
            place = (folder / name).as_uri()
            experiments[name] = client.create_experiment(name, artifact_location=place)
        made = client.create_run(experiments[name], tags=told.get("tags", {}))
        for key, value in told.get("params", {}).items():
            client.log_param(made.info.run_id, key, value)
        if "rows" in told:
            columns = told.get("columns", ["income", "application_id"])
            example = {"columns": columns, "data": told["rows"]}
            client.log_dict(made.info.run_id, example, "input_example.json")
        client.set_terminated(made.info.run_id)
        if told.get("deleted"):
            client.delete_run(made.info.run_id)
        ids.append(made.info.run_id)
    return uri, ids


def erased(uri, application):
    """Call erase_runs; what `mlflow gc` prints is left out."""
    with redirect_stdout(io.StringIO()):
        return erase_runs(uri, application)


def left(uri):
    """Return the stage of each run that is there, "active" or "deleted", by its id."""
    client = mlflow.MlflowClient(uri)
    every = [one.experiment_id for one in client.search_experiments()]
    runs = client.search_runs(every, run_view_type=ViewType.ALL)
    return {run.info.run_id: run.info.lifecycle_stage for run in runs}


# %% test="ex4" points=3
# Covers a tag, and a run of nobody. Not shown: parameters, examples, deleted runs.
uri_4, ids_4 = tracked({"tags": {"worst": "8101"}}, {"tags": {"worst": "8102"}})
gone_4 = erased(uri_4, 8101)
assert gone_4 is not None, "erase_runs returned nothing: return a list."
assert isinstance(gone_4, list), f"Return a list, not {type(gone_4).__name__}."
assert gone_4 == [ids_4[0]], "The first run has 8101 in a tag, and no other."
there = {ids_4[1]: "active"}
assert left(uri_4) == there, "The first run must be gone for good, the second stays."
assert erased(uri_4, 8101) == [], "A second time there is nothing to erase."
### BEGIN HIDDEN TESTS
store_4, ids_4 = tracked(
    {"params": {"example": "9101"}},
    {"rows": [[1900, 9100], [2700, 9101]]},
    {"tags": {"first": "9101"}, "deleted": True},
    {"rows": [[1, 9101]], "deleted": True},
    {"rows": [[9101, 2700]], "columns": ["application_id", "income"]},
    {"tags": {"worst": "9101"}, "experiment": "tuning"},
    {"rows": [[9101, 9102]]},
    {"tags": {"worst": "19101"}, "deleted": True},
    {"params": {"rounds": "150"}},
)
places_4 = []
for one_4 in map(mlflow.MlflowClient(store_4).get_run, ids_4):
    places_4.append(Path(one_4.info.artifact_uri.removeprefix("file://")))
stays_4 = {ids_4[6]: "active", ids_4[7]: "deleted", ids_4[8]: "active"}
named_4 = erased(store_4, 9101)
why_4 = "These runs name it: one in a parameter, one in an example, one deleted."
assert {*ids_4[:3]} <= {*named_4}, why_4
assert ids_4[3] in named_4, "The example of a deleted run should be read, too."
assert ids_4[4] in named_4, "The column application_id may be at any place."
assert ids_4[5] in named_4, "Runs of every experiment should be looked at."
assert ids_4[7] not in named_4, "Compare the whole value: 19101 is not 9101."
assert ids_4[6] not in named_4, "Look in the column application_id only."
assert named_4 == sorted(ids_4[:6]), "The ids should be sorted, each once."
why_4 = "Other runs should stay as they are, deleted ones deleted."
assert left(store_4) == stays_4, why_4
example_4 = places_4[1] / "input_example.json"
assert not example_4.exists(), "The example should be gone from the disk."
example_4 = places_4[6] / "input_example.json"
assert example_4.exists(), "The example of another run should still be there."
erased(store_4, 7777)
assert left(store_4) == stays_4, "Where nobody is named nothing should be removed."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: beside the audit log
#
# The log holds only a commitment, `HMAC-SHA256(salt, content)` in hex. Salt and content lie
# beside it, in an SQLite file with one table: `personal (commitment TEXT PRIMARY KEY, subject
# TEXT, salt BLOB, content BLOB)`.
#
# `erase_evidence(path, subject)` sets `subject`, `salt` and `content` of the subject's rows to
# NULL and returns their commitments, sorted; called again, `[]`.
# - The rows stay: a commitment of the log whose row is missing would be a fault.
# - No byte of them may stay in the file. SQLite only marks what it frees, and may have left
#   older copies in the file. `VACUUM`, after the commit, writes the file anew. `PRAGMA
#   secure_delete = ON` is not enough: it zeroes only what is freed from then on.


# %% answer="ex5"
def erase_evidence(path, subject):
    """Erase a subject's data and salts; return the commitments."""
    ### BEGIN SOLUTION
    with closing(sqlite3.connect(path)) as database:
        wanted = "SELECT commitment FROM personal WHERE subject = ? ORDER BY commitment"
        found = [code for (code,) in database.execute(wanted, [subject])]
        change = "UPDATE personal SET subject = NULL, salt = NULL, content = NULL"
        database.execute(f"{change} WHERE subject = ?", [subject])
        database.commit()
        database.execute("VACUUM")
    return found
    ### END SOLUTION


# %% locked="evidence"
def store_of(*rows):
    """Return the path of a store of (subject, content), and its commitments."""
    file, commitments = str(scratch() / "personal.db"), []
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        columns = "commitment TEXT PRIMARY KEY, subject TEXT, salt BLOB, content BLOB"
        database.execute(f"CREATE TABLE personal ({columns})")
        for number, (subject, content) in enumerate(rows):
            salt = hashlib.sha256(f"{number} {subject}".encode()).digest()
            commitment = hmac.new(salt, content.encode(), hashlib.sha256).hexdigest()
            told = [commitment, subject, salt, content.encode()]
            database.execute("INSERT INTO personal VALUES (?, ?, ?, ?)", told)
            commitments.append(commitment)
        database.execute("COMMIT")
    return file, commitments


def rows_of(file):
    """Return subject, salt and content of each commitment."""
    with closing(sqlite3.connect(file)) as database:
        columns = "commitment, subject, salt, content"
        rows = database.execute(f"SELECT {columns} FROM personal")
        return {row[0]: row[1:] for row in rows}


# %% locked="plain"
# grader: these run where the answers run
class Plain(sqlite3.Connection):
    """A connection that overwrites nothing by itself, however this SQLite was built."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.execute("PRAGMA secure_delete = OFF").close()


def wiped(file, subject):
    """Call erase_evidence with such connections."""
    with patch("sqlite3.connect", partial(sqlite3.connect, factory=Plain)):
        return erase_evidence(file, subject)


# %% test="ex5" points=3
# Covers one subject of two. Not shown: many rows, large contents, bytes of the file.
path_5, codes = store_of(("C7", "granted, 0.11"), ("C8", "declined, 0.31"))
gone_5 = wiped(path_5, "C8")
assert gone_5 is not None, "erase_evidence returned nothing: return a list."
assert gone_5 == [codes[1]], "C8 has one commitment."
after_5 = rows_of(path_5)
assert set(after_5) == set(codes), "Both rows must stay."
assert after_5[codes[1]] == (None, None, None), "Nothing of C8 may be left in its row."
assert after_5[codes[0]][0] == "C7", "The row of C7 must stay as it was."
assert wiped(path_5, "C8") == [], "A second time there is nothing to erase."
### BEGIN HIDDEN TESTS
for seed in (1, 2):
    lengths = np.random.default_rng(seed).integers(1, 46, 200).tolist()
    many = []
    for n, length in enumerate(lengths):
        many.append((f"C{n % 10}", f"<{n}>" * length))
    path_5, codes = store_of(*many, ("C_7", "a"), ("CX7", "b"), ("c_7", "c"))
    before_5 = rows_of(path_5)
    mine = sorted(code for code, row in before_5.items() if row[0] == "C7")
    assert wiped(path_5, "C7") == mine, "All rows of the subject should be erased."
    content_5 = Path(path_5).read_bytes()
    rests = [n for n in range(7, 200, 10) if f"<{n}>".encode() in content_5]
    assert rests == [], "What was erased should not stand in the bytes of the file."
    salts = [before_5[code][1] for code in mine]
    rests = [salt for salt in salts if salt in content_5]
    assert rests == [], "A salt should not stand in the bytes of the file."
    then = rows_of(path_5)
    others = {code: row for code, row in before_5.items() if row[0] != "C7"}
    same_5 = {code: then[code] for code in others}
    assert same_5 == others, "Other subjects should keep what was theirs."
    assert set(then) == set(before_5), "Each commitment should keep its row."
assert wiped(path_5, "C_7") == [codes[200]], "The subject should be equal, not alike."
assert wiped(path_5, "C1") != [], "Somebody else can still be erased afterwards."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the next model
#
# The proof of an erasure is a retraining: the model of the data without the person has the
# bytes of the model of a world in which the person never applied. So nothing in the training
# may depend on who else was there, or on the order of the rows.
#
# `prepare(table)` returns what a training needs, as a dict:
# - `"held"`: the ids that are held out (list, rising): those for which `drawn(id)` is below 0.2.
#   The others are learned from.
# - `"median"`: the median income of those learned from (float), missing ones left out.
# - `"train"`: a list of the rows learned from, in rising order of the id, each a list of the
#   id, the income (the median where it is missing), the amount and the outcome.
#
# `table` is a frame with the columns `application_id`, `income`, `amount` and `defaulted`, its
# rows in any order and with any index. It is not changed.


# %% locked="drawn"
COLUMNS = ["application_id", "income", "amount", "defaulted"]


def drawn(application):
    """Return a number from 0 to 1 that depends on the id alone."""
    digest = hashlib.sha256(str(int(application)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


# %% answer="ex6"
def prepare(table):
    """Return "held", "median" and "train", whatever the order of the rows."""
    ### BEGIN SOLUTION
    ordered = table.sort_values("application_id")
    held = ordered["application_id"].map(drawn) < 0.2
    train = ordered[~held]
    median = train["income"].median()
    return {
        "held": ordered.loc[held, "application_id"].tolist(),
        "median": median,
        "train": train[COLUMNS].fillna({"income": median}).to_numpy(object).tolist(),
    }
    ### END SOLUTION


# %% locked="model"
SETTINGS = {"objective": "binary", "num_leaves": 6, "num_threads": 1, "verbosity": -1}
SETTINGS |= {"deterministic": True, "force_row_wise": True, "seed": 0}


def loans(seed, rows):
    """Return applications with their outcomes; every ninth income is missing."""
    world = World(seed=seed, scenario="calm")
    table = world.applications(-1)[COLUMNS[:3]].head(rows)
    table = table.assign(defaulted=world.truth(-1)["would_default"].head(rows))
    table.loc[table["application_id"] % 9 == 0, "income"] = np.nan
    return table


def digest(prepared):
    """Return the sha256 of the model that is trained on what was prepared."""
    train = pd.DataFrame(prepared["train"], columns=COLUMNS)
    features = train[["income", "amount"]].astype(float)
    data = lgb.Dataset(features, train["defaulted"].astype(float))
    text = lgb.train(SETTINGS, data, 5).model_to_string()
    return hashlib.sha256(text.encode()).hexdigest()


# %% test="ex6" points=3
# Covers form, one table, and rows in another order. Not shown: people left out.
whole_6 = loans(3, 200)
found_6 = prepare(whole_6)
assert found_6 is not None, "prepare returned nothing: return a dict."
assert isinstance(found_6, dict), f"Return a dict, not {type(found_6).__name__}."
assert set(found_6) == {"held", "median", "train"}, f"It has {sorted(found_6)}."
assert isinstance(found_6["held"], list), "Want a list of the ids that are held out."
assert isinstance(found_6["train"], list), "Want a list of rows for train."
assert all(isinstance(row, list) for row in found_6["train"]), "Each row is a list."
assert all(len(row) == 4 for row in found_6["train"]), "Each row has four values."
assert len(found_6["held"]) + len(found_6["train"]) == 200, "Each row is on one side."
assert all(row[1] > 0 for row in found_6["train"]), "No income may be missing in train."
turned = prepare(whole_6.sample(frac=1, random_state=1))
why_6 = "held must be rising, and the same for any order of rows."
assert turned["held"] == found_6["held"] == sorted(found_6["held"]), why_6
assert digest(turned) == digest(found_6), "Another order must give the same model."
### BEGIN HIDDEN TESTS
kept_6 = [one for one in whole_6["application_id"].tolist() if drawn(one) >= 0.2]
assert [row[0] for row in found_6["train"]] == kept_6, "Those drawn below 0.2 are held."
known = whole_6.set_index("application_id").loc[kept_6, "income"]
why_6 = "The median should be of those learned from, missing ones left out."
assert found_6["median"] == float(known.median()), why_6
assert whole_6["income"].isna().any(), "The table that was given should not be changed."
filled = whole_6.fillna({"income": found_6["median"]})
filled = filled.set_index("application_id").loc[kept_6]
why_6 = "Want id, income (the median for a missing one), amount and outcome."
got = [[float(value) for value in row[1:]] for row in found_6["train"]]
assert got == filled.astype(float).to_numpy().tolist(), why_6
short = whole_6.assign(application_id=range(95, 295), income=whole_6["income"] + 0.25)
given = short.sample(frac=1, random_state=2)
copy = given.copy()
few = prepare(given)
assert given.equals(copy), "The table that was given should not be sorted or changed."
ids_6 = [one for one in range(95, 295) if drawn(one) < 0.2]
assert few["held"] == ids_6, "The ids should be in the order of numbers, not of text."
whole_ids = all(isinstance(one, (int, np.integer)) for one in few["held"])
assert whole_ids, "The ids of held should be whole numbers."
learned = short[~short["application_id"].isin(ids_6)]
assert few["median"] == learned["income"].median(), "The median should not be rounded."
for person_6 in (11, 99, 188):
    gone_6 = whole_6["application_id"].iloc[person_6]
    erased_table = whole_6[whole_6["application_id"] != gone_6]
    world_6 = erased_table.sample(frac=1, random_state=person_6).reset_index(drop=True)
    without, shuffled = prepare(erased_table), prepare(world_6)
    why_6 = "It should be the model of the world without the person."
    assert digest(without) == digest(shuffled), why_6
    held_6 = [number for number in found_6["held"] if number != gone_6]
    why_6 = "Nobody else should change sides when a person leaves."
    assert without["held"] == held_6, why_6
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: the receipt
#
# `receipt(request, found, left, reasons, before, after)` returns the receipt as a dict, or
# raises `ValueError` if the erasure is not done.
# - `request` is text, `"E-7"`. `found` and `left` are dicts: rows of the person by store, at the
#   beginning and now. A store that is in one of them only has 0 rows in the other; `"lake"`
#   may be in neither.
# - `reasons` is a dict from a store to the ground on which rows stay, or `None`; a store that
#   is not in it has no ground.
# - `before` and `after` are the hashes of the model in use.
#
# The dict has `"request"`, `"removed"` (by store, rows that went; each store of `found` and
# `left`), `"stays"` (a dict: only of stores with rows left, each `{"rows": ..., "ground": ...}`)
# and `"model"`: `{"before": ..., "after": ...}`.
#
# Not done: rows are left without a ground; a store has more rows than at the beginning
# (somebody still writes); or rows were found in the store `"lake"` and the hash is the same,
# for then nobody trained again.


# %% answer="ex7"
def receipt(request, found, left, reasons, before, after):
    """Return the receipt, or raise ValueError if the erasure is not done."""
    ### BEGIN SOLUTION
    removed, stays = {}, {}
    for store in {*found, *left}:
        rows = left.get(store, 0)
        removed[store] = found.get(store, 0) - rows
        if removed[store] < 0:
            raise ValueError(f"{store} has more rows than before")
        if rows and reasons.get(store) is None:
            raise ValueError(f"{rows} rows are left in {store} without a ground")
        if rows:
            stays[store] = {"rows": rows, "ground": reasons[store]}
    if found.get("lake", 0) and before == after:
        raise ValueError("the model is still the old one")
    model = {"before": before, "after": after}
    return {"request": request, "removed": removed, "stays": stays, "model": model}
    ### END SOLUTION


# %% test="ex7" points=3
# Covers a contract that stays, rows without a ground. Not shown: other refusals.
why = {"files": "17(3)(b)", "lake": None, "letters": None}
begin = {"lake": 3, "files": 1, "letters": 2}
found_7 = receipt("E-7", begin, {"files": 1}, why, "aa", "bb")
assert found_7 is not None, "receipt returned nothing: return a dict."
assert isinstance(found_7, dict), f"Return a dict, not {type(found_7).__name__}."
entries = {"request", "removed", "stays", "model"}
assert set(found_7) == entries, f"It has {sorted(found_7)}."
assert found_7["request"] == "E-7", "The receipt names its request."
went = {"lake": 3, "files": 0, "letters": 2}
assert found_7["removed"] == went, "Want what went, by store."
stays_7 = {"files": {"rows": 1, "ground": "17(3)(b)"}}
assert found_7["stays"] == stays_7, "The file stays."
assert found_7["model"] == {"before": "aa", "after": "bb"}, "Want both hashes."
rest_7 = {"letters": 1}
refused = fails(receipt, "E-7", {"letters": 2}, rest_7, why, "aa", "bb")
assert refused, "Rows without a ground: raise ValueError."
### BEGIN HIDDEN TESTS
old = fails(receipt, "E-8", {"lake": 2}, {}, {}, "aa", "aa")
assert old, "The model should be another one than before."
same_7 = receipt("E-9", {"letters": 2}, {}, {}, "aa", "aa")
both_7 = {"before": "aa", "after": "aa"}
assert same_7["model"] == both_7, "Not in the lake: no new model."
none = receipt("E-9", {"lake": 0, "logs": 1}, {"lake": 0, "desk": 0}, {}, "aa", "aa")
went = {"lake": 0, "logs": 1, "desk": 0}
why_7 = "Each store of `found` and of `left` should be in removed."
assert none["removed"] == went, why_7
assert none["stays"] == {}, "A store with no rows left should not be in stays."
grown = {"files": 3}
more = fails(receipt, "E-9", {"files": 1}, grown, why, "aa", "bb")
assert more, "More rows than before should be refused."
two = {"files": 5, "letters": 1}
fewer = {"files": 1, "letters": 2}
each = fails(receipt, "E-9", two, fewer, {**why, "letters": "17(3)(e)"}, "aa", "bb")
assert each, "Each store by itself should not have more rows than before."
held_back = fails(receipt, "E-9", {"lake": 2}, {"lake": 2}, {"lake": "x"}, "aa", "aa")
assert held_back, "Rows found in the lake ask for another model, erased or not."
empty = receipt("E-9", {"files": 2}, {"files": 0}, why, "aa", "bb")
assert empty["stays"] == {}, "A store without rows should not be in stays."
new = fails(receipt, "E-9", {}, {"files": 1}, why, "aa", "bb")
assert new, "A store that is new has more rows than before."
bare = fails(receipt, "E-9", {"x": 1}, {"x": 1}, {}, "aa", "bb")
assert bare, "A store that reasons does not name has no ground."
part = receipt("E-9", {"files": 5}, {"files": 2}, why, "aa", "bb")
assert part["removed"] == {"files": 3}, "Of five rows three went."
assert part["stays"]["files"]["rows"] == 2, "Of five rows two stay."
### END HIDDEN TESTS
