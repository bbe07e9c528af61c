# %% [markdown]
# # 04 Erasure request
#
# A letter: *I want you to erase my data.* You find where the bank has them, say what may
# stay and why, and erase from a Delta table, from MLflow's store and beside the audit log,
# each of which keeps more than it shows. Then you train the next model so that nobody can
# tell that the person was ever there, and write the receipt.
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
from pathlib import Path

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
from deltalake import DeltaTable, write_deltalake
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
# - `values` is a list of text, such as a name, and of whole numbers, such as an id. A number
#   counts as a whole: 42 stands in 42, 7 and not in 420 or 142.
# - By ending: `.gz` is text that gzip packed; `.parquet` a table, read it with pandas; `.db`
#   an SQLite file, look into every row of every table. All else is UTF-8 text.
# - The file's own name may give the person away, too.


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
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            if pattern.search(name) or pattern.search(text_of(path)):
                found.append(name)
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
            database.execute("INSERT INTO second VALUES (?, ?)", [number, who])
            database.execute("COMMIT")
    letter = f"letters/{application}.txt"
    by_number = ["a.db", "lake/one.parquet", letter, "logs/old.jsonl.gz"]
    return root, by_number, ["a.db", "lake/three.parquet"]


# %% test="ex1" points=4
# Covers a number in every kind of file. Not shown: names, both, other folders.
root, by_number, by_name = planted(1040000123, "Zoe Halstein", 1040000124)
found = whereabouts(str(root), [1040000123])
assert found is not None, "whereabouts returned nothing: return a list."
assert isinstance(found, list), f"Return a list, not {type(found).__name__}."
assert all(isinstance(name, str) for name in found), "Want the files' names as text."
assert "lake/one.parquet" in found, "The number is in the table lake/one.parquet."
assert "logs/old.jsonl.gz" in found, "The number is in a packed log."
assert "a.db" in found, "The number is in the second table of a.db."
assert "letters/1040000123.txt" in found, "A letter's name is the number."
assert "letters/10400001231.txt" not in found, "10400001231 is another number."
assert found == sorted(by_number), f"Expected {sorted(by_number)}, found {found}."
### BEGIN HIDDEN TESTS
assert whereabouts(str(root), ["Zoe Halstein"]) == by_name, "A name should be found."
both = whereabouts(str(root), [1040000123, "Zoe Halstein"])
assert both == sorted({*by_number, *by_name}), "Each file counts once, for any value."
assert whereabouts(str(root), [777777777]) == [], "Who is nowhere is found nowhere."
root, by_number, by_name = planted(990000001, "Miles O'Farwood (jr.)", 980000007)
again = whereabouts(str(root), [990000001])
assert again == sorted(by_number), "Another person should be found just so."
signs = whereabouts(str(root), ["Miles O'Farwood (jr.)"])
assert signs == by_name, "A name with signs in it should be found as it stands."
(root / "lake" / "deep").mkdir()
(root / "lake" / "deep" / "x.csv").write_text("a,b\n990000001,2\n", encoding="utf-8")
deep = whereabouts(str(root), [990000001])
assert "lake/deep/x.csv" in deep, "A folder in a folder should be looked into."
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
stores = {**three, "log": "commitment"}
found = grounds(stores, {"contract_ends": 30, "claim_open": False, "as_of": 12})
assert found is not None, "grounds returned nothing: return a dict."
assert isinstance(found, dict), f"Return a dict, not {type(found).__name__}."
assert set(found) == set(stores), f"Want each store once, not {sorted(found)}."
assert found["files"] == "17(3)(b)", "The law keeps the file of a contract."
assert found["desk"] is None, "No claim is open, so the letter goes."
assert found["lake"] is None, "Training data never stay."
assert found["log"] == "anonymous", "The commitment in the log stays."
claim = {"contract_ends": None, "claim_open": True, "as_of": 12}
assert grounds(three, claim)["desk"] == "17(3)(e)", "An open claim keeps the letter."
### BEGIN HIDDEN TESTS
declined = {"contract_ends": None, "claim_open": False, "as_of": 12}
assert grounds({"c": "contract", "l": "letter"}, declined) == {
    "c": None,
    "l": None,
}, "Without a contract and a claim nothing of the file should stay."
kinds = {"c": "contract", "l": "letter", "x": "log"}
claims = grounds(kinds, declined | {"claim_open": True})
kept = {"c": "17(3)(e)", "l": "17(3)(e)", "x": None}
assert claims == kept, "An open claim should keep the file only."
both = {"contract_ends": 0, "claim_open": True, "as_of": 60}
first = grounds({"c": "contract"}, both)
assert first == {"c": "17(3)(b)"}, "The duty of law should go first."
late = both | {"as_of": 61}
second = grounds({"c": "contract"}, late)
assert second == {"c": "17(3)(e)"}, "After 60 months the claim keeps it."
late["claim_open"] = False
third = grounds({"c": "contract"}, late)
assert third == {"c": None}, "After 60 months no duty keeps it."
edge = late | {"as_of": 60}
fourth = grounds({"c": "contract"}, edge)
assert fourth == {"c": "17(3)(b)"}, "The 60th month should count, too."
fifth = grounds({"b": "backup"}, both)
assert fifth == {"b": None}, "A kind that is not named should go."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: a Delta table
#
# `DeltaTable(path).delete(...)` writes new files. The old ones stay, so that one can go
# back, and the log has the smallest and the largest id of every file.
#
# `erase_table(path, application)` erases one application, the column `application_id`, from
# the Delta table in the folder `path`, in **all** that lies there: no file of it may name the
# id any more. It returns how many rows of the newest version it erased (int).
# - The rows of all others stay as they are, in any order; old versions may be lost.
# - If the newest version has no such row, an older one may have it still.


# %% answer="ex3"
def erase_table(path, application):
    """Erase an application from a Delta table, its old versions and its log."""
    ### BEGIN SOLUTION
    table = DeltaTable(path).to_pandas()
    kept = table[table["application_id"] != application]
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
path = table_of([5101, 5102, 5103], [5201, 5202])
gone = erase_table(path, 5102)
assert gone is not None, "erase_table returned nothing: return a number of rows."
assert gone == 1, "One row of the newest version is of 5102."
assert ids_of(path) == [5101, 5103, 5201, 5202], "The others stay as they were."
assert names(path, 5102) == [], f"5102 still stands in {names(path, 5102)}."
### BEGIN HIDDEN TESTS
assert erase_table(path, 5102) == 0, "A second time there is nothing to erase."
path = table_of([6101, 6102, 6103], [6103, 6204], [6301])
assert erase_table(path, 6103) == 2, "Each row of the application should be erased."
assert ids_of(path) == [6101, 6102, 6204, 6301], "Of the others no row should be lost."
assert names(path, 6103) == [], "The log should not have the largest id of an old file."
granted = DeltaTable(path).to_pandas().set_index("application_id")["granted"].to_dict()
want = {6101: False, 6102: True, 6204: True, 6301: False}
assert granted == want, "The other columns should stay as they are."
path = table_of([7101, 7102, 7103])
DeltaTable(path).delete("application_id = 7103")
assert erase_table(path, 7103) == 0, "The newest version has no row of it."
assert names(path, 7103) == [], "An old version and the log should not have it either."
assert ids_of(path) == [7101, 7102], "The newest version should stay as it was."
columns = list(DeltaTable(path).to_pandas())
assert columns == ["application_id", "granted"], "It should have its two columns."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: MLflow's store
#
# `erase_runs(uri, application)` removes for good each run of the store at `uri` that names
# the application: in the value of a tag or of a parameter (as text, exactly the number), or in
# an artefact `input_example.json`, which is `{"columns": [...], "data": [[...], ...]}` with a
# column `application_id`. It returns the ids of these runs, sorted.
# - A run that a colleague has *deleted* is still there, with its artefacts
#   (`ViewType.ALL` finds it). So is one that you delete, until `mlflow gc` is run. From Python:
#   `from mlflow.cli import gc` within your function (it takes a second), then
#   `gc.main(arguments, standalone_mode=False)`, where `arguments` is a list of text:
#   `--backend-store-uri`, uri, `--tracking-uri`, uri, `--run-ids`, and the ids with commas.
# - Other runs stay as they are: those deleted by colleagues may be wanted back.
# - Artefacts lie in a local folder: `run.info.artifact_uri` is its URI, `file://` and a path.


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
    place = (folder / "artifacts").as_uri()
    experiment = client.create_experiment("notebook", artifact_location=place)
    for told in runs:
        made = client.create_run(experiment, tags=told.get("tags", {}))
        for key, value in told.get("params", {}).items():
            client.log_param(made.info.run_id, key, value)
        if "rows" in told:
            columns = ["income", "application_id"]
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
    """Return the ids of all runs that are there, deleted ones too."""
    client = mlflow.MlflowClient(uri)
    (one,) = client.search_experiments(filter_string="name = 'notebook'")
    runs = client.search_runs([one.experiment_id], run_view_type=ViewType.ALL)
    return {run.info.run_id for run in runs}


# %% test="ex4" points=3
# Covers a tag, and a run of nobody. Not shown: parameters, examples, deleted runs.
uri, ids = tracked({"tags": {"worst": "8101"}}, {"tags": {"worst": "8102"}})
gone = erased(uri, 8101)
assert gone is not None, "erase_runs returned nothing: return a list."
assert isinstance(gone, list), f"Return a list, not {type(gone).__name__}."
assert gone == [ids[0]], "The first run has 8101 in a tag, and no other."
assert left(uri) == {ids[1]}, "The first run must be gone for good, the second stays."
assert erased(uri, 8101) == [], "A second time there is nothing to erase."
### BEGIN HIDDEN TESTS
store, ids = tracked(
    {"params": {"example": "9101"}},
    {"rows": [[1900, 9100], [2700, 9101]]},
    {"tags": {"worst": "9101"}, "deleted": True},
    {"rows": [[9101, 9102]]},
    {"tags": {"worst": "91010"}, "deleted": True},
    {"params": {"rounds": "150"}},
)
places = []
for one in map(mlflow.MlflowClient(store).get_run, ids):
    places.append(Path(one.info.artifact_uri.removeprefix("file://")))
three = erased(store, 9101)
assert three == sorted(ids[:3]), "A parameter, an example and a deleted run do."
assert left(store) == set(ids[3:]), "Runs of others should stay, deleted ones too."
example = places[1] / "input_example.json"
assert not example.exists(), "The example should be gone from the disk."
stays = places[3] / "input_example.json"
assert stays.exists(), "An income that equals the id is no reason to erase a run."
erased(store, 7777)
assert left(store) == set(ids[3:]), "Where nobody is named nothing should be removed."
stage = mlflow.MlflowClient(store).get_run(ids[3]).info.lifecycle_stage
assert stage == "active", "A run that names somebody else should stay active."
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
# - No byte of them may stay in the file. SQLite only marks what it frees, unless it is told
#   otherwise before: `PRAGMA secure_delete = ON`, or `VACUUM` afterwards.


# %% answer="ex5"
def erase_evidence(path, subject):
    """Erase a subject's data and salts; return the commitments."""
    ### BEGIN SOLUTION
    with (
        closing(sqlite3.connect(path)) as database,
        closing(database.execute("PRAGMA secure_delete = ON")),
    ):
        wanted = "SELECT commitment FROM personal WHERE subject = ? ORDER BY commitment"
        found = [code for (code,) in database.execute(wanted, [subject])]
        change = "UPDATE personal SET subject = NULL, salt = NULL, content = NULL"
        database.execute(f"{change} WHERE subject = ?", [subject])
        database.commit()
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


# %% test="ex5" points=3
# Covers one subject of two. Not shown: many rows, large contents, bytes of the file.
path, codes = store_of(("C7", "granted, 0.11"), ("C8", "declined, 0.31"))
gone = erase_evidence(path, "C8")
assert gone is not None, "erase_evidence returned nothing: return a list."
assert gone == [codes[1]], "C8 has one commitment."
after = rows_of(path)
assert set(after) == set(codes), "Both rows must stay."
assert after[codes[1]] == (None, None, None), "Nothing of C8 may be left in its row."
assert after[codes[0]][0] == "C7", "The row of C7 must stay as it was."
assert erase_evidence(path, "C8") == [], "A second time there is nothing to erase."
### BEGIN HIDDEN TESTS
long = []
for n in range(150):
    long.append((f"C{n % 30}", f"content {n} of C{n % 30}, " + f"rare-{n} " * 200))
path, codes = store_of(*long)
before = rows_of(path)
mine = sorted(code for code, row in before.items() if row[0] == "C17")
assert erase_evidence(path, "C17") == mine, "All rows of the subject should be erased."
content = Path(path).read_bytes()
rests = [n for n in range(17, 150, 30) if f"content {n} of".encode() in content]
assert rests == [], "What was erased should not stand in the bytes of the file."
salts = [before[code][1] for code in mine]
assert not any(salt in content for salt in salts), "A salt stands in the file's bytes."
then = rows_of(path)
others = {code: row for code, row in before.items() if row[0] != "C17"}
same = {code: then[code] for code in others}
assert same == others, "Other subjects should keep what was theirs."
assert set(then) == set(before), "Each commitment should keep its row."
assert erase_evidence(path, "C1") != [], "Somebody else can still be erased afterwards."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the next model
#
# The proof of an erasure is a retraining: the model of the data without the person has the
# bytes of the model of a world in which the person never applied. That asks something of
# the training, since nothing in it may depend on who else was there, or in which order.
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
    text = lgb.train(SETTINGS, data, 15).model_to_string()
    return hashlib.sha256(text.encode()).hexdigest()


# %% test="ex6" points=3
# Covers form, one table, and rows in another order. Not shown: people left out.
whole = loans(3, 600)
found = prepare(whole)
assert found is not None, "prepare returned nothing: return a dict."
assert isinstance(found, dict), f"Return a dict, not {type(found).__name__}."
assert set(found) == {"held", "median", "train"}, f"It has {sorted(found)}."
assert isinstance(found["held"], list), "Want a list of the ids that are held out."
assert isinstance(found["train"], list), "Want a list of rows for train."
assert all(isinstance(row, list) for row in found["train"]), "Each row is a list."
assert all(len(row) == 4 for row in found["train"]), "Each row has four values."
assert len(found["held"]) + len(found["train"]) == 600, "Each row is on one side."
assert all(row[1] > 0 for row in found["train"]), "No income may be missing in train."
turned = prepare(whole.sample(frac=1, random_state=1))
assert turned["held"] == found["held"], "Another order holds out the same people."
assert digest(turned) == digest(found), "Another order must give the same model."
### BEGIN HIDDEN TESTS
kept = [one for one in whole["application_id"].tolist() if drawn(one) >= 0.2]
assert [row[0] for row in found["train"]] == kept, "Those drawn below 0.2 are held."
known = whole.set_index("application_id").loc[kept, "income"]
assert found["median"] == float(known.median()), "The median is of those learned from."
assert whole["income"].isna().any(), "The table that was given should not be changed."
for seed, person in ((4, 11), (5, 222), (6, 333)):
    table = loans(seed, 500)
    gone = table["application_id"].iloc[person]
    erased_table = table[table["application_id"] != gone]
    world = erased_table.sample(frac=1, random_state=seed).reset_index(drop=True)
    one, other, all_of_them = map(prepare, (erased_table, world, table))
    assert digest(one) == digest(other), "It should be the model of the world without."
    held = [number for number in all_of_them["held"] if number != gone]
    assert one["held"] == held, "Nobody else should change sides when a person leaves."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: the receipt
#
# `receipt(request, found, left, reasons, before, after)` returns the receipt as a dict, or
# raises `ValueError` if the erasure is not done.
# - `request` is text, `"E-7"`. `found` and `left` are dicts: rows of the person by store, at the
#   beginning and now. A store that is in one of them only has 0 rows in the other.
# - `reasons` is a dict: for each store the ground on which rows stay, or `None`.
# - `before` and `after` are the hashes of the model in use.
#
# The dict has `"request"`, `"removed"` (by store, rows that went; each store of `found` and
# `left`), `"stays"` (a dict: only of stores with rows left, each `{"rows": ..., "ground": ...}`)
# and `"model"`: `{"before": ..., "after": ...}`.
#
# Not done: rows are left without a ground; there are more rows than at the beginning
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
found = receipt("E-7", begin, {"files": 1}, why, "aa", "bb")
assert found is not None, "receipt returned nothing: return a dict."
assert isinstance(found, dict), f"Return a dict, not {type(found).__name__}."
entries = {"request", "removed", "stays", "model"}
assert set(found) == entries, f"It has {sorted(found)}."
assert found["request"] == "E-7", "The receipt names its request."
went = {"lake": 3, "files": 0, "letters": 2}
assert found["removed"] == went, "Want what went, by store."
assert found["stays"] == {"files": {"rows": 1, "ground": "17(3)(b)"}}, "The file stays."
assert found["model"] == {"before": "aa", "after": "bb"}, "Want both hashes."
rest = {"letters": 1}
refused = fails(receipt, "E-7", {"letters": 2}, rest, why, "aa", "bb")
assert refused, "Rows without a ground: raise ValueError."
### BEGIN HIDDEN TESTS
old = fails(receipt, "E-8", {"lake": 2}, {}, {}, "aa", "aa")
assert old, "The model should be another one than before."
same = receipt("E-9", {"letters": 2}, {}, {}, "aa", "aa")
both = {"before": "aa", "after": "aa"}
assert same["model"] == both, "Not in the lake: no new model."
none = receipt("E-9", {"lake": 0, "logs": 1}, {"lake": 0, "desk": 0}, {}, "aa", "aa")
went = {"lake": 0, "logs": 1, "desk": 0}
assert none["removed"] == went, "A store with no rows stays in removed."
assert none["stays"] == {}, "A store with no rows left should not be in stays."
grown = {"files": 3}
more = fails(receipt, "E-9", {"files": 1}, grown, why, "aa", "bb")
assert more, "More rows than before should be refused."
new = fails(receipt, "E-9", {}, {"files": 1}, why, "aa", "bb")
assert new, "A store that is new has more rows than before."
bare = fails(receipt, "E-9", {"x": 1}, {"x": 1}, {}, "aa", "bb")
assert bare, "A store that reasons does not name has no ground."
part = receipt("E-9", {"files": 5}, {"files": 2}, why, "aa", "bb")
assert part["removed"] == {"files": 3}, "Of five rows three went."
assert part["stays"]["files"]["rows"] == 2, "Of five rows two stay."
### END HIDDEN TESTS
