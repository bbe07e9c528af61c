# %% [markdown]
# # 04 Audit and lineage
#
# You are Oakbank's internal auditor. You write an audit log by hand, find what was changed in
# copies of it, and learn what only a head that you have signed can tell. Then you change
# sides and forge what can be forged. In the second half a supplier reports a wrong file: you
# say what it has touched, where one decision came from, and what a step reads in secret.
#
# You need lessons 04/01 and 04/02. About 90 minutes; eight exercises, 25 points.
# `python3 bootstrap.py check 04-audit-and-lineage` runs the tests that you see. A grader's
# tests go further, with other logs and other banks; the first line of each test says where.
#
# Two cells set up; of the second you need nothing before exercise 6. All logs in this lab are
# written by Oakbank's own `AuditLog`, all events by OpenLineage's own client.

# %% locked="setup"
import base64
import hashlib
import json
import logging
import random
import tempfile
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import mlflow
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from mlflow.entities import Dataset, DatasetInput, InputTag, Param, RunTag
from openlineage.client import OpenLineageClient
from openlineage.client import event_v2 as lineage
from openlineage.client.facet_v2 import dataset_version_dataset
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.uuid import generate_new_uuid

from oakbank.governance import heads, merkle, observed, roles
from oakbank.governance.audit import AuditLog, Draft
from oakbank.pipelines.tracking_store import close_databases, create_database
from oakbank.world.files import sqlite_url

logging.getLogger("mlflow").setLevel(logging.ERROR)
START = "0" * 64  # stands for the hash before the first entry
FIELDS = ["kind", "actor", "when", "key", "payload"]  # what a draft says


def drafts_of(seed, n):
    """Return what a log of n entries is to say."""
    draw = random.Random(seed)
    return [
        {
            "kind": "decide",
            "actor": draw.choice(["job", "Zoë", "Bob"]),
            "when": draw.randrange(12),
            "key": f"{seed}-{number}",
            "payload": {"granted": draw.random() < 0.6, "p": round(draw.random(), 4)},
        }
        for number in range(n)
    ]


def log_of(drafts):
    """Return the lines that Oakbank's log writes for these drafts."""
    with tempfile.TemporaryDirectory() as folder:
        log = AuditLog(Path(folder, "audit.jsonl"))
        log.append_many([Draft(**draft) for draft in drafts])
        return log.path.read_text(encoding="utf-8").splitlines()


def changed(line, **fields):
    """Return a line with other fields, everything else as it was, its hash too."""
    return json.dumps(json.loads(line) | fields, sort_keys=True, separators=(",", ":"))


# %% locked="banks"
def digest_of(text):
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class SmallBank:
    """Nine months of a bank: all its steps, and their events in a file.

    The file of the month `wrong` is corrected at the start of the month `corrected`;
    the newest model is then trained again.
    """

    def __init__(self, seed, wrong, corrected, inbox="inbox"):
        self.seed, self.wrong, self.corrected = seed, wrong, corrected
        self.inbox = inbox  # where the bureau's files arrive
        self.steps = []  # (job, reads, writes)
        self.tables = {}  # what a model learned from, by the model's version
        for month in (-2, -1):
            self.ingest(month, month)
        for month in range(9):
            if month == corrected:
                self.ingest(wrong, month)
            self.ingest(month, month)
            if month % 3 == 0 or month == corrected:
                self.train(month, month // 3 * 3)
            self.decide(month)
        self.events = str(Path(tempfile.mkdtemp(), "events.jsonl"))
        self.tell(random.Random(seed))

    def made(self, name, *what):
        """Return a data set made of something: a name and a version."""
        return name, digest_of(f"{self.seed} {name} {what}")

    def sent(self, month, now):
        """Return the bureau's file of a month, as it is in another month."""
        right = month == self.wrong and now >= self.corrected
        return self.made(f"{self.inbox}/month={month:+04d}.csv", right)

    def kept(self, month, now):
        """Return the same in the lake."""
        file = self.sent(month, now)
        return self.made(f"lake/applications/month={month:+04d}.parquet", file)

    def ingest(self, month, now):
        """Write the bureau's file of a month into the lake."""
        self.steps.append(("ingest", [self.sent(month, now)], [self.kept(month, now)]))

    def train(self, now, as_of):
        """Validate, train and register; no row is ever rejected."""
        reads = [self.kept(month, now) for month in range(-2, as_of)]
        where, number = f"runs/{as_of}", str(len(self.tables) + 1)
        accepted = self.made(f"{where}/accepted.parquet", reads)
        rejected = f"rejected/{now}.csv", digest_of("")
        model = self.made(f"{where}/model.txt", accepted)
        self.model = self.made(f"registry/credit/{number}", model)
        self.tables[number] = accepted
        self.steps += [
            ("validate", reads, [accepted, rejected]),
            ("train", [accepted, rejected], [model]),
            ("register", [model], [self.model]),
        ]

    def decide(self, month):
        """Decide a month, with a look at the month before, and send its letters."""
        reads = [self.kept(one, month) for one in (month - 1, month)] + [self.model]
        decided = self.made(f"decisions/month={month:+04d}.parquet", reads)
        letters = self.made(f"letters/month={month:+04d}.csv", decided)
        self.steps += [("decide", reads, [decided]), ("send", [decided], [letters])]

    def tell(self, draw):
        """Write the events with OpenLineage's client: several a run, in any order."""
        told = []
        for job, reads, writes in self.steps:
            run, failed = (str(uuid.UUID(int=draw.getrandbits(128))) for _ in range(2))
            if draw.random() < 0.3:  # a first try
                told.append((failed, job, "START", reads, []))
                told.append((failed, job, "FAIL", [], []))
            if draw.random() < 0.4:
                told += [(run, job, "COMPLETE", reads, writes)]
            else:
                told += [(run, job, "START", reads[:1], [])]
                told += [(run, job, "RUNNING", reads[1:], [])]
                told += [(run, job, "COMPLETE", [], writes)]
        draw.shuffle(told)
        transport = FileTransport(FileConfig(self.events, append=True))
        client, made = OpenLineageClient(transport=transport), lineage.RunEvent
        for run, job, kind, reads, writes in told:
            event = {
                "eventType": lineage.RunState[kind],
                "eventTime": "2024-10-01T00:00:00+00:00",
                "run": lineage.Run(run),
                "job": lineage.Job("oakbank", job),
                "inputs": [data_set(lineage.InputDataset, one) for one in reads],
                "outputs": [data_set(lineage.OutputDataset, one) for one in writes],
            }
            client.emit(made(**event))


def data_set(kind, one):
    """Return a data set of an event."""
    facet = dataset_version_dataset.DatasetVersionDatasetFacet(one[1])
    return kind("oakbank", one[0], facets={"version": facet})


PLACE = Path(tempfile.mkdtemp())
create_database(PLACE / "mlflow.db")
STORE = sqlite_url(PLACE / "mlflow.db")


def registered(bank, approvers):
    """Write the runs and versions of a bank's models into MLflow; return run ids."""
    client, ids = mlflow.MlflowClient(tracking_uri=STORE), []
    client.create_registered_model(f"credit-{bank.seed}")
    pairs = zip(bank.tables.items(), approvers, strict=True)
    for (number, (name, version)), approver in pairs:
        as_of = name.split("/")[1]
        run = client.create_run("0", tags={"code_hash": "that of the run"}).info.run_id
        client.log_batch(run, params=[Param("as_of", as_of), Param("version", number)])
        others = [bank.sent(-1, 0)[1], bank.sent(0, 0)[1]]
        uses = {"evaluation": others[0], "training": version, "monitoring": others[1]}
        tables = [
            DatasetInput(
                Dataset("accepted", digest[:36], "local", "{}"),
                [InputTag("used", "training"), InputTag("mlflow.data.context", use)],
            )
            for use, digest in uses.items()
        ]
        client.log_inputs(run, tables)
        tags = {"code_hash": digest_of(f"code {bank.seed} {number}")}
        tags |= {"approver": approver} if approver else {}
        source = f"{PLACE.as_uri()}/artifacts/0/{run}/artifacts/model"
        client.create_model_version(f"credit-{bank.seed}", source, run, tags=tags)
        ids.append(run)
    return ids


def sources(bank, number):
    """Return the files of the bureau behind a version of a bank's model."""
    table = bank.tables[number]
    (reads,) = [reads for _, reads, writes in bank.steps if table in writes]
    return sorted(files[0] for _, files, made in bank.steps if made[0] in reads)


SMALL = SmallBank(1, wrong=2, corrected=7)
RUN_IDS = registered(SMALL, ["Bob", "Zoë", None, "Bob"])
close_databases()  # the grader forks here

# %% [markdown]
# ## Exercise 1: a log that shows an edit
#
# A *draft* is a dict with the five keys of `FIELDS`. `chain(drafts)` returns a list with a line
# (text, without a line end) for each draft, the lines of Oakbank's log. A line is JSON in one
# spelling only, `json.dumps(entry, sort_keys=True, separators=(",", ":"))`, of a dict with
# eight keys: the draft's five, and
# - `seq`: the entry's place, from 0,
# - `previous`: the `hash` of the entry before; `START` for the first,
# - `hash`: the SHA-256 in hexadecimal digits of the other seven keys, in the same spelling.
#
# `first_bad(lines)` returns the place (int, from 0) of the first line that does not hold, or
# `None`. A line holds if it is, letter by letter, the line that `chain` writes for its draft
# at that place, after the lines before it. A line may be anything: `"null"` is JSON, too.


# %% answer="ex1"
def chain(drafts):
    """Return the lines of a log that says the drafts."""
    ### BEGIN SOLUTION
    lines, previous = [], START
    for seq, draft in enumerate(drafts):
        line, previous = sealed(draft, seq, previous)
        lines.append(line)
    return lines


def spelled(entry):
    """Return the one spelling of an entry."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))


def sealed(draft, seq, previous):
    """Return the line of a draft, and its hash."""
    entry = draft | {"seq": seq, "previous": previous}
    digest = hashlib.sha256(spelled(entry).encode()).hexdigest()
    return spelled(entry | {"hash": digest}), digest
    ### END SOLUTION


def first_bad(lines):
    """Return the place of the first line that does not hold, or None."""
    ### BEGIN SOLUTION
    previous = START
    for seq, line in enumerate(lines):
        try:
            entry = json.loads(line)
            draft = {name: entry[name] for name in FIELDS}
        except (ValueError, KeyError, TypeError):
            return seq
        wanted, previous = sealed(draft, seq, previous)
        if line != wanted:
            return seq
    return None
    ### END SOLUTION


# %% test="ex1" points=1
# Covers a log of three entries. Not shown: other logs, and an empty one.
drafts = drafts_of(1, 3)
made = chain(drafts)
assert made is not None, "chain returned nothing: return a list of lines."
assert isinstance(made, list), f"Return a list, not {type(made).__name__}."
assert len(made) == 3, f"Three drafts make three lines, not {len(made)}."
for seq, (line, want) in enumerate(zip(made, log_of(drafts), strict=True)):
    assert isinstance(line, str), f"A line is a text, not {type(line).__name__}."
    assert line.startswith("{"), f"Line {seq} should be the JSON of a dict."
    told, right = json.loads(line), json.loads(want)
    assert set(told) == set(right), f"Line {seq} has the keys {sorted(told)}."
    for field in sorted(set(right) - {"hash"}):
        assert told[field] == right[field], f"`{field}` of line {seq} is another."
    assert told["hash"] == right["hash"], f"Line {seq}: what is hashed, and how?"
    assert line == want, f"Line {seq} says the right thing in another spelling."
### BEGIN HIDDEN TESTS
assert chain([]) == [], "A log without drafts should have no lines."
for seed in (11, 12):
    more = drafts_of(seed, 9)
    assert chain(more) == log_of(more), "Each line should be that of Oakbank's log."
### END HIDDEN TESTS

# %% test="ex1" part="verify" points=2
# Covers an edit, a line that is none, a sound log. Not shown: other ways to tamper.
sound = log_of(drafts_of(2, 6))
edited = [*sound[:2], changed(sound[2], when=99), *sound[3:]]
found = first_bad(edited)
assert found is not None, "first_bad returned nothing: entry 2 was edited."
assert isinstance(found, int), f"Return a place, not {type(found).__name__}."
assert found == 2, f"Entry 2 was edited, and its hash was not: want 2, not {found}."
assert first_bad(sound) is None, "Nothing was changed in this log: None."
assert first_bad([*sound[:4], "null", *sound[5:]]) == 4, "Line 4 is no entry."
### BEGIN HIDDEN TESTS


def resealed(line, **fields):
    """Return a line with other fields and a fresh hash of its own."""
    told = json.loads(line) | fields
    del told["hash"]
    return changed("{}", **told, hash=digest_of(changed("{}", **told)))


draw = random.Random(21)
assert first_bad([]) is None, "An empty log should hold."
for seed in (31, 32, 33):
    length = 12
    lines = log_of(drafts_of(seed, length))
    at = draw.randrange(1, length - 2)
    digit = draw.randrange(5, 60)
    flipped = lines[at].replace('"previous":"', '"previous":" ', 1)
    own = AuditLog  # the bank's own log says what is right
    why_1 = "Where a line was taken out, the next one should not hold."
    assert first_bad([*lines[:at], *lines[at + 1 :]]) == at, why_1
    assert first_bad([*lines[: at + 1], *lines[at:]]) == at + 1, (
        "The copy of a line should not hold after the line itself."
    )
    swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
    assert first_bad(swapped) == at, "The first line that was moved should not hold."
    assert first_bad(lines[:at]) is None, "A log that was cut off still holds."
    assert first_bad(lines[1:]) == 0, "A log without its first entry should not hold."
    why_1 = "One letter more in a line should be found there."
    assert first_bad([*lines[:at], flipped, *lines[at + 1 :]]) == at, why_1
    spaced = json.dumps(json.loads(lines[at]), sort_keys=True)
    assert first_bad([*lines[:at], spaced, *lines[at + 1 :]]) == at, (
        "The same entry in another spelling should not hold."
    )
    slipped = changed(lines[at], note="approved")
    assert first_bad([*lines[:at], slipped, *lines[at + 1 :]]) == at, (
        "A field that the hash does not cover should not be let in."
    )
    for rubbish in ("", "[]", '"text"', "{}", "7", lines[at][:-1]):
        assert first_bad([*lines[:at], rubbish, *lines[at + 1 :]]) == at, (
            "What is no entry should be found at its place, without an error."
        )
    more = [json.loads(line) for line in lines]
    more = [{field: entry[field] for field in FIELDS} for entry in more]
    more[at] |= {"actor": "Mallory"}
    anew = log_of(more)
    assert first_bad(anew) is None, "A log that was written anew holds by itself."
    lazy = [*lines[:at], anew[at], *lines[at + 1 :]]
    why_1 = "An entry with a fresh hash of its own holds; the next should not."
    assert first_bad(lazy) == at + 1, why_1
    last = [*lines[:-1], changed(lines[-1], actor="Mallory")]
    assert first_bad(last) == length - 1, "The last entry should be looked at, too."
    far = [*lines[:at], changed(lines[at], seq=at + 1), *lines[at + 1 :]]
    assert first_bad(far) == at, "An entry that claims another place should not hold."
    more_said = resealed(lines[at], note="approved")
    why_1 = "An entry has eight keys: one with a ninth should not hold, hashed or not."
    assert first_bad([*lines[:at], more_said, *lines[at + 1 :]]) == at, why_1
    for begins in (0, at):
        before, shifted = START, []
        for place, line in enumerate(lines):
            number = place + 5 * (place >= begins)
            shifted.append(resealed(line, seq=number, previous=before))
            before = json.loads(shifted[-1])["hash"]
        why_1 = "`seq` should be the place in the log, whatever the line says."
        assert first_bad(shifted) == begins, why_1
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: one line, and nobody else's
#
# The tree of RFC 6962 (lesson 04/01): a leaf is the SHA-256 of the byte `00` and a line in
# UTF-8, a node that of the byte `01` and its two halves. Of n lines the left half are as many as
# the largest power of two **below** n.
#
# `root_of(lines)` returns the root of one line or more, in hexadecimal digits.
#
# `included(line, place, path, size, root)` returns whether `line` stands at `place` (from 0) in the
# log of `size` lines that has this `root`. You are the applicant's lawyer: you have no log. `path`
# is a list of hashes in hexadecimal digits: at each step up from the leaf, the hash of the
# **other** half; the last one is that of half the log. Say `False` for whatever does not lead to
# the root: another line or place, a place that the log does not have, a hash too few or too many.
#
# <details><summary>Hint</summary>
#
# From above it is easier than from below. In a tree of n lines the place lies in the left half or
# in the right one. The last hash of the path is the other half's; with the rest of the path the
# question is the same again, about half the tree. A tree of one line needs no hash.
# </details>


# %% answer="ex2"
def root_of(lines):
    """Return the root of the tree of lines, in hexadecimal digits."""

    ### BEGIN SOLUTION
    def top(leaves):
        if len(leaves) == 1:
            return leaves[0]
        half = left_of(len(leaves))
        return node(top(leaves[:half]), top(leaves[half:]))

    return top([leaf(line) for line in lines]).hex()


def leaf(line):
    """Return the hash of a line."""
    return hashlib.sha256(b"\x00" + line.encode()).digest()


def node(left, right):
    """Return the hash of two halves."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def left_of(n):
    """Return the largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1
    ### END SOLUTION


def included(line, place, path, size, root):
    """Return whether the path leads from a line at a place to the root."""

    ### BEGIN SOLUTION
    def top(place, size, path):
        if size == 1 or not path:
            return leaf(line) if size == 1 and not path else b"nothing"
        half, other, rest = left_of(size), bytes.fromhex(path[-1]), path[:-1]
        if place < half:
            return node(top(place, half, rest), other)
        return node(other, top(place - half, size - half, rest))

    return 0 <= place < size and top(place, size, path).hex() == root
    ### END SOLUTION


# %% locked="roots"
ROOTS = {
    1: "022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c",
    2: "b137985ff484fb600db93107c77b0365c80d78f5b429ded0fd97361d077999eb",
    3: "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1",
    5: "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b",
}
PATHS = {
    2: [
        "d070dc5b8da9aea7dc0f5ad4c29d89965200059c9a0ceca3abd5da2492dcb71d",
        "b137985ff484fb600db93107c77b0365c80d78f5b429ded0fd97361d077999eb",
        "2824a7ccda2caa720c85c9fba1e8b5b735eecfdb03878e4f8dfe6c3625030bc4",
    ],
    4: ["33376a3bd63e9993708a84ddfe6c28ae58b83505dd1fed711bd924ec5a6239f0"],
}


def is_in(line, place, path, size, root):
    """Return what included says, once it is a bool."""
    said = included(line, place, path, size, root)
    assert said is not None, "included returned nothing: return True or False."
    assert isinstance(said, bool), f"Return a bool, not {type(said).__name__}."
    return said


# %% test="ex2" points=1
# Covers the lines a, b, c, d, e, and their beginnings. Not shown: real logs.
for n, root in ROOTS.items():
    said = root_of(list("abcde")[:n])
    assert said is not None, "root_of returned nothing: return a text."
    assert isinstance(said, str), f"Return a text, not {type(said).__name__}."
    assert said == root, f"{n} lines have another root: what is hashed, and how?"
### BEGIN HIDDEN TESTS
for n in (1, 4, 6, 7, 8, 9, 21):
    lines = log_of(drafts_of(40 + n, n))
    want = merkle.root([merkle.leaf_hash(one.encode()) for one in lines]).hex()
    assert root_of(lines) == want, f"The root of {n} entries should be RFC 6962's."
why_2 = "The bytes of a line should be its UTF-8."
assert root_of(["ü"]) == merkle.leaf_hash("ü".encode()).hex(), why_2
### END HIDDEN TESTS

# %% test="ex2" part="proof" points=2
# Covers two proofs in the log a, b, c, d, e. Not shown: real logs, and forged proofs.
assert is_in("c", 2, PATHS[2], 5, ROOTS[5]), "c stands at place 2 of the five."
assert is_in("e", 4, PATHS[4], 5, ROOTS[5]), "e stands at place 4; one hash is enough."
assert is_in("a", 0, [], 1, ROOTS[1]), "The log of one line needs no hash."
assert not is_in("d", 2, PATHS[2], 5, ROOTS[5]), "d does not stand at place 2."
assert not is_in("c", 3, PATHS[2], 5, ROOTS[5]), "c does not stand at place 3."
assert not is_in("c", 2, PATHS[2][:2], 5, ROOTS[5]), "A hash of the path is missing."
### BEGIN HIDDEN TESTS
for n in (2, 3, 6, 8, 11):
    lines = log_of(drafts_of(60 + n, n))
    leaves = [merkle.leaf_hash(one.encode()) for one in lines]
    root = merkle.root(leaves).hex()
    for place, line in enumerate(lines):
        path = [one.hex() for one in merkle.inclusion_proof(leaves, place)]
        assert is_in(line, place, path, n, root), f"Entry {place} of {n} is in the log."
        for wrong in range(-1, n + 2):
            if wrong != place:
                said = is_in(line, wrong, path, n, root)
                assert not said, f"Entry {place} of {n} does not stand at {wrong}."
        why_2 = "Another line should not be proven by this path."
        assert not is_in(line[:-1] + " }", place, path, n, root), why_2
        assert not is_in(line, place, path[1:], n, root), "The path lacks its first."
        assert not is_in(line, place, path[:-1], n, root), "The path lacks its last."
        assert not is_in(line, place, [*path, root], n, root), "The path is too long."
        why_2 = "A path with one hash too many proves nothing: False."
        assert not is_in(line, place, [root, *path], n, root), why_2
        if len(path) > 1:
            turned = is_in(line, place, path[::-1], n, root)
            assert not turned, "The hashes of a path have an order."
    assert not is_in(lines[0], n, [], n, root), "The log ends before this place."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the auditor's drawer, and the clerk
#
# Now and then the auditor signs a head of the log and puts it into her drawer. A *note* is a
# pair of a text and a signature (bytes). The text has three lines, each with a line end: the
# log's name, the size, and the root in base64. The drawer is a list of notes, in any order,
# and some notes in it may not be hers: their text may be anything.
#
# A note is **genuine** if the signature of its text is valid by the auditor's public `key` (32
# bytes), and the name is `oakbank.example/audit`: she signs the heads of other logs, too. Ignore
# all others. `compare(lines, drawer, key)` returns a dict:
# - `"sure"`: how many entries, from the first, are as she saw them (int): the size of the largest
#   genuine head with which the log agrees, or 0. A log agrees with a head if it has so many
#   lines or more, and its first `size` lines have that root.
# - `"verdict"`: `"no head"` if no note is genuine; else `"rewritten"` if the log is long enough for
#   a genuine head and does not agree with it; else `"cut"` if it is too short for one; else
#   `"as seen"`.
#
# Now you are the clerk, who can write the file. `attack(lines, drawer, key, place, draft)`
# returns a log (a list of lines) that says `draft` at `place` and is so good that `first_bad`
# finds nothing and the verdict is `"as seen"`. `place` is one of the log's places; at all others
# the log says what it said before. (If the log says this draft there already, it is such a log
# itself.) Return `None` if there is no such log. With no genuine head the verdict cannot be
# `"as seen"`: `None`.
#
# <details><summary>Hint</summary>
#
# `Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())` returns nothing, or
# raises `InvalidSignature`. Both names are imported.
# </details>


# %% answer="ex3"
def compare(lines, drawer, key):
    """Return "sure" and "verdict" of a log, by the heads in a drawer."""
    ### BEGIN SOLUTION
    seen = genuine(drawer, key)
    long_enough = [size for size in seen if size <= len(lines)]
    agrees = [size for size in long_enough if root_of(lines[:size]) == seen[size]]
    if not seen:
        verdict = "no head"
    elif len(agrees) < len(long_enough):
        verdict = "rewritten"
    else:
        verdict = "cut" if len(agrees) < len(seen) else "as seen"
    return {"sure": max(agrees, default=0), "verdict": verdict}


def genuine(drawer, key):
    """Return root by size of the heads that the auditor has signed."""
    seen, auditor = {}, Ed25519PublicKey.from_public_bytes(key)
    for text, signature in drawer:
        try:
            auditor.verify(signature, text.encode())
        except InvalidSignature:
            continue
        name, size, root = text.splitlines()
        if name == "oakbank.example/audit":
            seen[int(size)] = base64.b64decode(root).hex()
    return seen
    ### END SOLUTION


def attack(lines, drawer, key, place, draft):
    """Return a log that says the draft at a place and looks sound, or None."""
    ### BEGIN SOLUTION
    entries = [json.loads(line) for line in lines]
    drafts = [{name: entry[name] for name in FIELDS} for entry in entries]
    forged = chain([*drafts[:place], draft, *drafts[place + 1 :]])
    return forged if compare(forged, drawer, key)["verdict"] == "as seen" else None
    ### END SOLUTION


# %% locked="drawer"
AUDITOR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLERK = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEY = AUDITOR.public_key().public_bytes_raw()
NOBODY = {"kind": "decide", "actor": "job", "when": 0, "key": "x", "payload": {}}


def note_of(lines, size, signer=AUDITOR, name=heads.ORIGIN):
    """Return the note of the first `size` lines: text and signature."""
    root = merkle.root([merkle.leaf_hash(one.encode()) for one in lines[:size]])
    text = heads.checkpoint(merkle.TreeHead(size, root.hex()), name)
    return text, signer.sign(text.encode())


def judged(lines, drawer):
    """Return verdict and number of sure entries, once their form is right."""
    said = compare(lines, drawer, KEY)
    assert said is not None, "compare returned nothing: return a dict."
    assert isinstance(said, dict), f"Return a dict, not {type(said).__name__}."
    assert set(said) == {"sure", "verdict"}, f"It has the keys {sorted(said)}."
    assert isinstance(said["sure"], int), "`sure` is a whole number."
    return said["verdict"], said["sure"]


# %% test="ex3" points=3
# Covers a log of 12 entries, heads of 4 and of 8. Not shown: others' notes, other logs.
lines = log_of(drafts_of(3, 12))
drawer = [note_of(lines, 8), note_of(lines, 4)]
assert judged(lines, drawer) == ("as seen", 8), "Nothing was changed; 8 were seen."
assert compare(lines, drawer, KEY)["verdict"] == "as seen", "Want the verdict as seen."
said = judged(lines[:6], drawer)
assert said == ("cut", 4), f"6 entries are fewer than 8, and agree with 4, not {said}."
anew = drafts_of(3, 12)
anew[5] = NOBODY
said = judged(log_of(anew), drawer)
assert said == ("rewritten", 4), f"Entry 5 was written anew: 4 are sure, not {said}."
assert first_bad(log_of(anew)) is None, "The chain alone does not find this one."
assert judged(lines, []) == ("no head", 0), "Without a head nothing can be compared."
### BEGIN HIDDEN TESTS
for seed in (71, 72):
    chance = random.Random(seed)
    lines = log_of(drafts_of(seed, 20))
    small, middle, large = sorted(chance.sample(range(2, 19), 3))
    drawer = [note_of(lines, k) for k in (middle, large, small)]
    why_3 = "Of several heads the largest should count."
    assert judged(lines, drawer) == ("as seen", large), why_3
    assert judged(lines[:large], drawer) == ("as seen", large), (
        "A log that ends where the newest head ends is as it was seen."
    )
    assert judged(lines[: large - 1], drawer) == ("cut", middle), (
        "One entry fewer than the newest head is a log that was cut off."
    )
    assert judged(lines[: small - 1], drawer) == ("cut", 0), (
        "A log that is shorter than all heads should have no sure entry."
    )
    mended = drafts_of(seed, 20)
    mended[small - 1] = NOBODY
    assert judged(log_of(mended), drawer) == ("rewritten", 0), (
        "Where the oldest head does not agree, no entry should be sure."
    )
    assert judged(log_of(mended)[:middle], drawer) == ("rewritten", 0), (
        "A log that was rewritten and cut off should be called rewritten."
    )
    mended = drafts_of(seed, 20)
    mended[large] = NOBODY
    assert judged(log_of(mended), drawer) == ("as seen", large), (
        "What came after the newest head cannot be told from the heads."
    )
    forged = log_of([NOBODY, *drafts_of(seed, 20)[1:]])
    text, signature = note_of(lines, 19)
    waste = [
        note_of(forged, 19, CLERK),
        (note_of(forged, 19)[0], signature),
        (text.replace("19", "25"), signature),
        (text, b"no signature"),
        note_of(forged, 18, AUDITOR, "oakbank.example/test"),
        note_of(forged, 20, AUDITOR, "oakbank.example/auditors"),
    ]
    both = [*waste, *drawer]
    chance.shuffle(both)
    assert judged(lines, both) == ("as seen", large), (
        "Notes that are not genuine should change nothing, wherever they lie. "
        "Another's signature, or another log's name."
    )
    odd = [("Buy milk", signature), (text.replace("19", "nineteen"), signature)]
    why_3 = "What nobody has signed may be any text: it should be ignored, no error."
    try:
        said = judged(lines, [*odd, *drawer])
    except (ValueError, IndexError) as error:
        said = error
    assert said == ("as seen", large), why_3
    why_3 = "Where no note is genuine, there is no head."
    assert judged(forged, waste) == ("no head", 0), why_3
### END HIDDEN TESTS

# %% test="ex3" part="attack" points=2
# Covers a place after the newest head, and one before. Not shown: other drawers.
lines = log_of(drafts_of(4, 12))
drawer = [note_of(lines, 4), note_of(lines, 8)]
forged = attack(lines, drawer, KEY, 9, NOBODY)
assert forged is not None, "attack returned nothing: nobody has seen entry 9 yet."
assert isinstance(forged, list), f"Return a list, not {type(forged).__name__}."
assert len(forged) == 12, f"The log should still have 12 lines, not {len(forged)}."
want = drafts_of(4, 12)
want[9] = NOBODY
assert forged == log_of(want), "Entry 9 should be the draft, all other drafts stay."
assert attack(lines, drawer, KEY, 5, NOBODY) is None, "A head covers entry 5."
### BEGIN HIDDEN TESTS
for seed in (81, 82):
    lines = log_of(drafts_of(seed, 10))
    drawer = [note_of(lines, 7), note_of(lines, 3)]
    for spot in range(10):
        forged = attack(lines, drawer, KEY, spot, NOBODY)
        if spot < 7:
            assert forged is None, f"Entry {spot} is covered by the head of 7."
        else:
            want = drafts_of(seed, 10)
            want[spot] = NOBODY
            assert forged == log_of(want), f"Entry {spot} can still be rewritten."
    want = drafts_of(seed, 10)
    want[2] = NOBODY
    useless = [note_of(lines, 9, CLERK), note_of(lines, 5, name="oakbank.example/x")]
    said = attack(lines, [note_of(lines, 2), *useless], KEY, 2, NOBODY)
    why_3 = "Notes that are not genuine should not keep the clerk from it."
    assert said == log_of(want), why_3
    gone = attack(lines[:6], drawer, KEY, 5, NOBODY)
    assert gone is None, "A log that is too short for a head cannot be saved."
    same = attack(lines, drawer, KEY, 1, drafts_of(seed, 10)[1])
    why_3 = "The log says this draft there already: return the log, not None."
    assert same == lines, why_3
    for none in ([], useless):
        said = attack(lines, none, KEY, 5, NOBODY)
        why_3 = "With no genuine head the verdict cannot be as seen: no log will do."
        assert said is None, why_3
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: four eyes
#
# `refusal(lines, request, staff)` returns `None` if a promotion may be recorded in the log, or else
# the first of these five texts that is true:
# 1. `"unknown"`: the request's actor is not on the staff.
# 2. `"role"`: the actor is no `risk officer`.
# 3. `"signature"`: the request is not signed by the actor's key.
# 4. `"no author"`: no entry of the kind `train` in the log names the version.
# 5. `"author"`: the actor is the author of the version.
#
# `request` is a draft of the kind `promote`; its `payload` has the `version` (text), the
# `signature` and perhaps other keys. The signature should be hexadecimal digits, but it may be
# missing or be any text: then the request is not signed. It covers the draft **without** that one
# key of the payload, in the spelling of exercise 1, in UTF-8. Do not change `request`: work on a
# copy. `staff` is a dict by name; each is a dict with a `role` and a `key` (32 bytes). `lines` is
# a log that holds. An entry of the kind `train` names its version in the payload, too; its actor
# is the author, whatever their role is today, and also if they have left. If there are several,
# the first one counts.


# %% answer="ex4"
def refusal(lines, request, staff):
    """Return why a promotion may not be recorded, or None."""
    ### BEGIN SOLUTION
    person = staff.get(request["actor"])
    if person is None:
        return "unknown"
    if person["role"] != "risk officer":
        return "role"
    payload = dict(request["payload"])
    try:
        signature = bytes.fromhex(payload.pop("signature"))
        told = request | {"payload": payload}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        public = Ed25519PublicKey.from_public_bytes(person["key"])
        public.verify(signature, text.encode())
    except (KeyError, ValueError, InvalidSignature):
        return "signature"
    for line in lines:
        entry = json.loads(line)
        mine = entry["payload"].get("version") == payload["version"]
        if entry["kind"] == "train" and mine:
            return "author" if entry["actor"] == request["actor"] else None
    return "no author"
    ### END SOLUTION


# %% locked="staff"
OWN_KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    for number, name in enumerate(("Ada", "Bob", "Eve", "Zoë"), start=1)
}
DESKS = {"Ada": "risk officer", "Bob": "risk officer", "Eve": "developer"}
PUBLIC = {name: OWN_KEYS[name].public_key().public_bytes_raw() for name in DESKS}
STAFF = {name: {"role": DESKS[name], "key": PUBLIC[name]} for name in DESKS}


def signed(kind, actor, version, signer=None, **more):
    """Return a draft that `signer`, or else its actor, has signed as Oakbank does."""
    payload = {"version": version, **more}
    draft = Draft(kind, actor, 3, f"{kind}-{actor}-{version}", payload)
    return asdict(roles.sign(draft, OWN_KEYS[signer or actor]))


BOOK = log_of(
    [
        signed("train", "Ada", "7"),
        signed("train", "Eve", "8"),
        *drafts_of(5, 3),
    ]
)

# %% test="ex4" points=3
# Covers each answer once. Not shown: other logs, and requests that say more.
said = refusal(BOOK, signed("promote", "Ada", "7"), STAFF)
assert said is not None, "refusal returned None, but Ada has trained version 7."
assert isinstance(said, str), f"Return a text or None, not {type(said).__name__}."
why_4 = "Ada's own signature is valid: 'author', not "
assert said == "author", f"{why_4}{said!r}. Which text does it cover?"
assert refusal(BOOK, signed("promote", "Bob", "7"), STAFF) is None, "Bob may do it."
said = refusal(BOOK, signed("promote", "Bob", "7", "Ada"), STAFF)
assert said == "signature", f"Ada has signed in Bob's name: not {said!r}."
assert refusal(BOOK, signed("promote", "Zoë", "7"), STAFF) == "unknown", "Who is Zoë?"
assert refusal(BOOK, signed("promote", "Eve", "7"), STAFF) == "role", "Eve develops."
said = refusal(BOOK, signed("promote", "Bob", "9"), STAFF)
assert said == "no author", f"No entry names version 9: not {said!r}."
### BEGIN HIDDEN TESTS
for maker, rival in (("Ada", "Bob"), ("Bob", "Ada")):
    late = log_of(
        [
            *drafts_of(6, 2),
            signed("train", rival, "6"),
            signed("train", maker, "4"),
            signed("train", rival, "4", when="later"),
            signed("promote", rival, "5"),
            signed("erase", rival, "2"),
        ]
    )
    assert refusal(late, signed("promote", maker, "4"), STAFF) == "author", (
        "Somebody who claims the version later should not become its author."
    )
    assert refusal(late, signed("promote", rival, "4"), STAFF) is None, (
        "Who trained another version, or claimed this one later, may approve it."
    )
    claim = signed("promote", maker, "4", author=rival)
    why_4 = "What a request says of its author should not be believed."
    assert refusal(late, claim, STAFF) == "author", why_4
    for version in ("5", "2", ""):
        said = refusal(late, signed("promote", maker, version), STAFF)
        assert said == "no author", "Only entries of the kind `train` name an author."
    moved = signed("promote", maker, "6")
    moved["payload"] = moved["payload"] | {"version": "4"}
    assert refusal(late, moved, STAFF) == "signature", (
        "A request that was changed after it was signed should be refused."
    )
    backdated = signed("promote", maker, "6") | {"when": 1}
    why_4 = "The signature should cover the whole draft, its month, too."
    assert refusal(late, backdated, STAFF) == "signature", why_4
    for nonsense in ("", "zz", "00" * 64, None):
        unread = signed("promote", maker, "6")
        unread["payload"] = unread["payload"] | {"signature": nonsense}
        if nonsense is None:
            del unread["payload"]["signature"]
        try:
            said = refusal(late, unread, STAFF)
        except (ValueError, LookupError, TypeError, InvalidSignature) as error:
            said = repr(error)
        why_4 = 'A request without a readable signature is not signed: "signature"'
        assert said == "signature", f"{why_4}, not {said}."
    assert refusal(late, signed("promote", maker, "6", note="é"), STAFF) is None, (
        "A request may say more, as long as all of it is signed."
    )
    assert refusal(late, signed("promote", "Eve", "4", maker), STAFF) == "role", (
        "Of two reasons, the first in the list should be told."
    )
    again = signed("promote", rival, "9", maker)
    assert refusal(late, again, STAFF) == "signature", "The first reason is wanted."
moved_on = {**STAFF, "Eve": STAFF["Eve"] | {"role": "privacy officer"}}
said = refusal(BOOK, signed("promote", "Eve", "7"), moved_on)
assert said == "role", "Whoever is no risk officer should not promote: a clerk, too."
left = log_of([signed("train", "Zoë", "3"), signed("train", "Bob", "3")])
assert refusal(left, signed("promote", "Bob", "3"), STAFF) is None, (
    "The first author has left the staff, and is still the author."
)
own = signed("promote", "Bob", "7")
refusal(BOOK, own, STAFF)
assert own == signed("promote", "Bob", "7"), "Looking should not change a request."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: an event for each step
#
# `emit(events, folder, job, reads, writes)` says that a run of a step has ended: it **appends**
# one OpenLineage event, one line of JSON, to the file `events` (a path as text).
# - It is a `RunEvent` of the type `COMPLETE`. The job and all data sets are in the namespace
#   `oakbank`. Each call is a run of its own, with a new UUID as its id. The time of the event is
#   now, with a time zone.
# - `job` is the job's name. `reads` and `writes` are lists of the names of data sets: files below
#   `folder`, such as `lake/march.csv`. The facet `version` of each says what the file holds: the
#   SHA-256 of its bytes, in hexadecimal digits.
#
# Use OpenLineage's client with its `FileTransport`; what you need is imported in the first cell.


# %% answer="ex5"
def emit(events, folder, job, reads, writes):
    """Append the event of a run that has ended."""

    ### BEGIN SOLUTION
    def told(kind, name):
        digest = hashlib.sha256(Path(folder, name).read_bytes()).hexdigest()
        facet = dataset_version_dataset.DatasetVersionDatasetFacet(digest)
        return kind("oakbank", name, facets={"version": facet})

    transport = FileTransport(FileConfig(events, append=True))
    OpenLineageClient(transport=transport).emit(
        lineage.RunEvent(
            eventType=lineage.RunState.COMPLETE,
            eventTime=datetime.now(UTC).isoformat(),
            run=lineage.Run(runId=str(generate_new_uuid())),
            job=lineage.Job(namespace="oakbank", name=job),
            inputs=[told(lineage.InputDataset, name) for name in reads],
            outputs=[told(lineage.OutputDataset, name) for name in writes],
        )
    )
    ### END SOLUTION


# %% locked="events"
FACET = "https://openlineage.io/spec/facets/"
EVENT = "https://openlineage.io/spec/"


def write(folder, **files):
    """Write files that are given by name, with __ for / and no suffix."""
    for name, text in files.items():
        path = Path(folder, name.replace("__", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def read_events(path):
    """Return the events of a file."""
    assert Path(path).is_file(), "There is no file of events: append one line a call."
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("{") for line in lines), "Each line is a JSON object."
    return [json.loads(line) for line in lines]


def sets_of(event, side):
    """Return names and versions of the data sets of one side of an event, sorted."""
    found = []
    for told in event[side]:
        assert told["namespace"] == "oakbank", "Data sets are in the namespace oakbank."
        version = told.get("facets", {}).get("version")
        assert version, f"{told['name']} lacks the facet `version`."
        assert version["_schemaURL"].startswith(FACET), "Use the client's own facet."
        found.append((told["name"], version["datasetVersion"]))
    return sorted(found)


# %% test="ex5" points=3
# Covers two calls: one step, twice. Not shown: other steps, files that were corrected.
with tempfile.TemporaryDirectory() as folder:
    events = str(Path(folder, "events.jsonl"))
    write(folder, lake__march="1;2", model="tree")
    for _ in range(2):
        emit(events, folder, "train", ["lake/march"], ["model"])
    first, second = [*read_events(events), None, None][:2]
assert second is not None, "Two calls should leave two lines in the file of events."
wanted = {"eventType", "eventTime", "run", "job", "inputs", "outputs"}
for needed in sorted(wanted | {"producer", "schemaURL"}):
    assert needed in first, f"The event lacks `{needed}`."
assert first["schemaURL"].startswith(EVENT), "Use the client's own RunEvent."
assert first["eventType"] == "COMPLETE", f"The run has ended: {first['eventType']}?"
assert first["job"]["name"] == "train", f"Its job is train, not {first['job']['name']}."
assert first["job"]["namespace"] == "oakbank", "The job is in the namespace oakbank."
was_read, was_made = sets_of(first, "inputs"), sets_of(first, "outputs")
assert was_read == [("lake/march", digest_of("1;2"))], (
    f"The inputs should be lake/march with the SHA-256 of its bytes, not {was_read}."
)
assert was_made == [("model", digest_of("tree"))], (
    f"The outputs should be model with the SHA-256 of its bytes, not {was_made}."
)
ids = [uuid.UUID(one["run"]["runId"]) for one in (first, second)]
assert ids[0] != ids[1], "Each call is a run of its own: give it a new id."
### BEGIN HIDDEN TESTS
with tempfile.TemporaryDirectory() as home:
    events = str(Path(home, "told.jsonl"))
    write(home, lake__a="wrong", lake__b="b\r\n", out__x="", out__y="é")
    emit(events, home, "validate", ["lake/b", "lake/a"], ["out/x", "out/y"])
    write(home, lake__a="right")
    emit(events, home, "repair", ["lake/a"], [])
    emit(events, home, "import", [], ["lake/b"])
    told = read_events(events)
    hashed = {
        where: hashlib.sha256(Path(home, where).read_bytes()).hexdigest()
        for where in ("lake/a", "lake/b", "out/x", "out/y")
    }
assert len(told) == 3, "Three calls should leave three events."
jobs = [event["job"]["name"] for event in told]
assert jobs == ["validate", "repair", "import"], "Each event should name its job."
want = sorted([("lake/a", digest_of("wrong")), ("lake/b", hashed["lake/b"])])
why_5 = "hash the bytes as they are in the file, also its line ends."
why_5 = f"A name or version of the inputs differs: {why_5}"
assert sets_of(told[0], "inputs") == want, why_5
want = [(where, hashed[where]) for where in ("out/x", "out/y")]
why_5 = "A name or version of the outputs differs: all of them should be told."
assert sets_of(told[0], "outputs") == want, why_5
want = [("lake/a", digest_of("right"))]
assert sets_of(told[1], "inputs") == want, "A corrected file has another version."
assert sets_of(told[1], "outputs") == [], "A step may write nothing."
assert sets_of(told[2], "inputs") == [], "A step may read nothing."
for event in told:
    said = datetime.fromisoformat(event["eventTime"].replace("Z", "+00:00"))
    assert said.tzinfo is not None, "The time of an event should have a time zone."
    why_5 = "The time of an event should be now: that of the call, not a fixed one."
    assert abs(datetime.now(UTC) - said) < timedelta(minutes=10), why_5
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: what has a wrong file touched?
#
# The bureau reports a wrong file. Here is the bank, with all its steps: `ingest` takes a file
# of the bureau from the inbox to the lake, `validate` makes a table of many of them, `train` and
# `register` make a model of it, `decide` decides a month with a model, `send` writes letters. The
# names of what matters begin with `registry/` (models), `decisions/` and `letters/`.
#
# A real bank writes more than one event for a run, and several processes write into one file.
# So the events of a run (`START`, `RUNNING`, `COMPLETE`, `FAIL`) **share a run id and add up**:
# often the inputs stand in the first and the outputs in the last. And lines stand in any order.
#
# `steps(events)` reads a file of events (a path) and returns a dict: for each run id another
# dict with `"job"` (its name), `"reads"` and `"writes"`. Both are sets of pairs
# `(name, version)`, with the version of the facet: two files came under the name of March, the
# wrong one and the corrected one, and they are two data sets.
#
# `tainted(events, name, version)` returns a dict with three sorted lists of names, each once:
# `"models"`, `"decisions"` and `"letters"` that were made from this version of the data set
# `name`, directly or through any number of steps.


# %% answer="ex6"
def steps(events):
    """Return "job", "reads" and "writes" by run id."""
    ### BEGIN SOLUTION
    runs = {}
    for line in Path(events).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        empty = {"job": event["job"]["name"], "reads": set(), "writes": set()}
        run = runs.setdefault(event["run"]["runId"], empty)
        for side, known in (("inputs", "reads"), ("outputs", "writes")):
            for one in event[side]:
                version = one["facets"]["version"]["datasetVersion"]
                run[known].add((one["name"], version))
    return runs
    ### END SOLUTION


def tainted(events, name, version):
    """Return "models", "decisions" and "letters" made from a data set."""
    ### BEGIN SOLUTION
    runs, found, new = steps(events).values(), set(), {(name, version)}
    while new:
        written = (run["writes"] for run in runs if run["reads"] & new)
        new = set().union(*written) - found
        found |= new
    kinds = {"models": "registry/", "decisions": "decisions/", "letters": "letters/"}
    names = {one for one, _ in found}
    told = {}
    for kind, begin in kinds.items():
        told[kind] = sorted(one for one in names if one.startswith(begin))
    return told
    ### END SOLUTION


# %% test="ex6" points=1
# Covers the steps of one bank. Not shown: other banks, and the failed runs.
runs = steps(SMALL.events)
assert runs is not None, "steps returned nothing: return a dict."
assert isinstance(runs, dict), f"Return a dict, not {type(runs).__name__}."
assert all(isinstance(one, dict) for one in runs.values()), "Each run is a dict."
for one in runs.values():
    assert set(one) == {"job", "reads", "writes"}, f"A run has {sorted(one)}."
    both = isinstance(one["reads"], set) and isinstance(one["writes"], set)
    assert both, "`reads` and `writes` are sets of pairs."
done = [(one["job"], one["reads"], one["writes"]) for one in runs.values()]
done = [one for one in done if one[2]]
assert len(done) == 42, f"42 runs have written something, not {len(done)}."
why_6 = "has this job name, all reads and all writes: do the events of one run add up?"
for job, reads, writes in SMALL.steps:
    assert (job, set(reads), set(writes)) in done, f"No run of {job} {why_6}"
### BEGIN HIDDEN TESTS
for seed in (91,):
    bank = SmallBank(seed, 4, 5)
    runs = steps(bank.events)
    ids = {one["run"]["runId"] for one in read_events(bank.events)}
    assert set(runs) == ids, "Each run id should be there once, failed runs too."
    got = sorted((one["job"], len(one["reads"])) for one in runs.values())
    told = {}
    for event in read_events(bank.events):
        mine = event["run"]["runId"], event["job"]["name"]
        told[mine] = told.get(mine, 0) + len(event["inputs"])
    want = sorted((job, n) for (_, job), n in told.items())
    assert got == want, "The inputs of all events of a run should add up."
    kept = ("job", "reads", "writes")
    were = [tuple(one[key] for key in kept) for one in runs.values()]
    for job, reads, writes in bank.steps:
        assert (job, set(reads), set(writes)) in were, f"No run of {job} {why_6}"
### END HIDDEN TESTS

# %% test="ex6" part="tainted" points=2
# Covers both files of month 2 in one bank. Not shown: other files, other banks.
file, wrong = SMALL.sent(2, 2)
_, right = SMALL.sent(2, 8)
hit = tainted(SMALL.events, file, wrong)
assert hit is not None, "tainted returned nothing: return a dict."
assert isinstance(hit, dict), f"Return a dict, not {type(hit).__name__}."
assert set(hit) == {"models", "decisions", "letters"}, f"It has {sorted(hit)}."
assert all(isinstance(one, list) for one in hit.values()), "Want three lists."
assert hit["models"] == ["registry/credit/2", "registry/credit/3"], (
    f"The second and the third model learned from the wrong file, not {hit['models']}."
)
months = [f"month=+00{month}" for month in (2, 3, 4, 5, 6)]
assert hit["decisions"] == [f"decisions/{one}.parquet" for one in months], (
    f"Months 2 to 6 were decided from it, directly or by a model: {hit['decisions']}."
)
assert hit["letters"] == [f"letters/{one}.csv" for one in months], "And their letters."
assert tainted(SMALL.events, file, right)["models"] == ["registry/credit/4"], (
    "The corrected file has the same name and another version: one model has seen it."
)
### BEGIN HIDDEN TESTS
for seed, bad, corrected in ((93, 1, 4), (94, 5, 7)):
    bank = SmallBank(seed, bad, corrected)
    bank.decide(bad)  # once more, with the newest model: the same name, another version
    bank.events = str(Path(tempfile.mkdtemp(), "twice.jsonl"))
    bank.tell(random.Random(seed))
    for month, now in ((bad, bad), (bad, 8), (-1, 0), (3, 3), (8, 8)):
        file, content = bank.sent(month, now)
        reached = {(file, content)}
        for _, reads, writes in bank.steps:  # in the order of time
            reached |= set(writes) if reached & set(reads) else set()
        want = {
            kind: sorted({one for one, _ in reached if one.startswith(begin)})
            for kind, begin in (
                ("models", "registry/"),
                ("decisions", "decisions/"),
                ("letters", "letters/"),
            )
        }
        got = tainted(bank.events, file, content)
        for kind, names in want.items():
            why_6 = f"Of {kind}, each should be named once, though made twice."
            assert len(got[kind]) == len(set(got[kind])), why_6
            assert got[kind] == names, (
                f"{len(names)} {kind} were made from this file, and you found "
                f"{len(got[kind])}: a file that merely has its name is another one."
            )
nobody = tainted(SMALL.events, "inbox/month=+099.csv", right)
none = {"models": [], "decisions": [], "letters": []}
assert nobody == none, "What no run has read should have touched nothing."
letter = tainted(SMALL.events, "letters/month=+002.csv", SMALL.steps[-1][2][0][1])
why_6 = "Nothing is made from a letter, and it is not made from itself"
assert letter == none, f"{why_6}: three empty lists."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: where does this decision come from?
#
# A declined applicant's lawyer asks. MLflow knows the model, its run and a digest of the table
# that it learned from; the events know what this table was made from.
#
# `origin(decision, store, events)` returns a dict:
# - `"run"`: the id of the run that made the version, `"as_of"`: its param `as_of`, as an int,
# - `"code"` and `"approver"`: the tags `code_hash` and `approver` of the model **version**; an
#   approver who is not named is `None`,
# - `"files"`: the sorted list of pairs `(name, version)` of the data sets that the table was made
#   from, through any number of steps, and that no run of the bank has written: other people's files.
#
# `decision` is a dict with the `model` (the name in the registry), the `version` (text) and an
# `application_id`. `store` is the URI of MLflow's tracking store, `events` the path of the events.
# The run has several data sets. An entry of `run.inputs.dataset_inputs` has a `dataset` and `tags`,
# a list of tags with `key` and `value`. (The `tags` of a version are a dict.) The table is the one
# whose tag `mlflow.data.context` is `training`; MLflow keeps the first 36 characters of its version
# as its digest. Do not look for it by name: training again wrote another table with the same name.


# %% answer="ex7"
def origin(decision, store, events):
    """Return run, month, code, approver and files behind a decision."""
    ### BEGIN SOLUTION
    client = mlflow.MlflowClient(tracking_uri=store)
    version = client.get_model_version(decision["model"], decision["version"])
    run = client.get_run(version.run_id)
    for told in run.inputs.dataset_inputs:
        if "training" in [t.value for t in told.tags if t.key == "mlflow.data.context"]:
            digest = told.dataset.digest
    runs = steps(events).values()
    made = {one: run["reads"] for run in runs for one in run["writes"]}
    before, new = set(), {one for one in made if one[1][:36] == digest}
    while new:
        new = set().union(*(made.get(one, set()) for one in new)) - before
        before |= new
    return {
        "run": version.run_id,
        "as_of": int(run.data.params["as_of"]),
        "code": version.tags["code_hash"],
        "approver": version.tags.get("approver"),
        "files": sorted(before - set(made)),
    }
    ### END SOLUTION


# %% test="ex7" points=3
# Covers a decision of the third model. Not shown: the other models, other banks.
case = {"application_id": 1_000_000_700, "model": "credit-1", "version": "3"}
found = origin(case, STORE, SMALL.events)
assert found is not None, "origin returned nothing: return a dict."
assert isinstance(found, dict), f"Return a dict, not {type(found).__name__}."
wanted = {"run", "as_of", "code", "approver", "files"}
assert set(found) == wanted, f"It has the keys {sorted(found)}."
assert found["run"] == RUN_IDS[2], "This is another run than that of version 3."
assert found["as_of"] == 6, f"Version 3 was trained as of month 6: {found['as_of']!r}."
assert found["code"] == digest_of("code 1 3"), "The version has its own code_hash."
assert found["approver"] is None, f"Nobody is named, not even {found['approver']!r}."
assert isinstance(found["files"], list), "`files` is a list of pairs."
why_7 = "is it the data set with context training, and do you compare 36 characters?"
assert found["files"], f"No files: {why_7}"
assert len(found["files"]) == 8, f"8 files of months -2 to 5, not {found['files']}."
files = [tuple(one) for one in found["files"]]
assert files == sources(SMALL, "3"), "The names or versions of the files differ."
assert SMALL.sent(2, 2) in files, "Version 3 learned from the wrong file of month 2."
### BEGIN HIDDEN TESTS
cases = [(SMALL, RUN_IDS, ["Bob", "Zoë", None, "Bob"])]
another, names = SmallBank(97, 1, 4, "bureau/sent"), ["Eve", None, "Ada", "Zoë"]
cases.append((another, registered(another, names), names))
for another, ids, names in cases:
    for number, run, who in zip(another.tables, ids, names, strict=True):
        case = {"application_id": 5, "version": number}
        case["model"] = f"credit-{another.seed}"
        found = origin(case, STORE, another.events)
        assert found["run"] == run, "The run of the decision's own version is wanted."
        assert found["approver"] == who, "The version's own approver is wanted."
        code = digest_of(f"code {another.seed} {number}")
        assert found["code"] == code, "The code_hash of the version is wanted."
        table = another.tables[number][0]
        assert found["as_of"] == int(table.split("/")[1]), "Each run has its own month."
        behind = list(map(tuple, found["files"]))
        why_7 = "The files that no run has written are wanted, whatever their folder."
        assert behind, why_7
        assert behind == sources(another, number), (
            "The files behind the table with this digest are wanted, and no others."
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: declared, and really opened
#
# `undeclared(sql, folder, declared)` runs a step and returns the sorted list of the files below
# `folder` that it opened and that are not among those `declared`.
# - The step is a query for DuckDB, `sql`; where the folder stands in its text, it says `{folder}`. Put
#   the folder there, run the query and fetch all rows.
# - Files are named as in `declared`, by their path below the folder: `"outcomes/month=4.csv"`.
#
# On Linux, `observed.opened` of lesson 04/02 asks the kernel; it is imported. Its list of full
# paths is filled when the `with` block ends. On a machine without `inotify`, find another way: run
# the step in a copy of the folder, without one undeclared file at a time: does its result change?


# %% answer="ex8"
def undeclared(sql, folder, declared):
    """Return the files that a step opens and does not declare."""
    ### BEGIN SOLUTION
    with observed.opened(folder) as found:
        duckdb.sql(sql.replace("{folder}", folder)).fetchall()
    names = {path.relative_to(folder).as_posix() for path in found}
    return sorted(names - set(declared))
    ### END SOLUTION


# %% locked="lake"
def lake(folder, seed):
    """Write a small lake: outcomes and applications of six months, and a list.

    All numbers are whole, so that a sum is the same in whatever order it is made.
    """
    draw = random.Random(seed)
    for month in range(6):
        for kind in ("outcomes", "applications"):
            rows = "".join(f"{n},{draw.randrange(1, 10**6)}\n" for n in range(9))
            write(folder, **{f"{kind}__month={month}.csv": f"id,value\n{rows}"})
    rows = "".join(f"{n},{draw.randrange(1, 10**6)}\n" for n in range(9))
    write(folder, **{"lists__old__regions.csv": f"id,weight\n{rows}"})


def secret(sql, declared, seed=0):
    """Return what undeclared says of a query in a lake."""
    with tempfile.TemporaryDirectory() as folder:
        lake(folder, seed)
        return undeclared(sql, folder, declared)


ALL = "SELECT avg(value) FROM '{folder}/outcomes/*.csv'"

# %% test="ex8" points=2
# Covers a feature that averages all outcomes. Not shown: other steps, other folders.
early = [f"outcomes/month={month}.csv" for month in range(4)]
said = secret(ALL, early)
assert said is not None, "undeclared returned nothing: return a list of names."
assert isinstance(said, list), f"Return a list, not {type(said).__name__}."
assert all(isinstance(one, str) for one in said), "A name is a text."
assert said == ["outcomes/month=4.csv", "outcomes/month=5.csv"], (
    f"Months 4 and 5 are read and not declared, and you found {said}."
)
assert secret(ALL, [*early, *said]) == [], "All files are declared: an empty list."
### BEGIN HIDDEN TESTS
join = """SELECT sum(a.value * l.weight)
FROM read_csv(['{folder}/applications/month=2.csv', '{folder}/outcomes/month=3.csv']) a
JOIN '{folder}/lists/old/*.csv' l USING (id)"""
said = secret(join, ["applications/month=2.csv"], 5)
both_read = ["lists/old/regions.csv", "outcomes/month=3.csv"]
why_8 = "Each file that a join reads should be told, with its folders below the lake."
assert sorted(said) == both_read, why_8
unused = ["applications/month=2.csv", "outcomes/month=3.csv", "outcomes/month=0.csv"]
said = secret(join, [*unused, "lists/old/regions.csv"], 6)
assert said == [], "A file that is declared and never opened is no secret."
both = "SELECT sum(value) FROM read_csv('{folder}/**/month=[35].csv')"
said = secret(both, ["outcomes/month=3.csv"], 7)
apart = ["applications/month=3.csv", "applications/month=5.csv", "outcomes/month=5.csv"]
why_8 = "Files of one name in two folders should be told apart."
assert sorted(said) == apart, why_8
assert said == apart, "The names are right, but not sorted."
with tempfile.TemporaryDirectory() as pond:
    for month in range(4):
        numbers = f"SELECT range * 7 + {month} AS value FROM range(50)"
        duckdb.sql(f"COPY ({numbers}) TO '{pond}/m{month}.parquet'")
    far = "SELECT sum(value) FROM '{folder}/*.parquet'"
    said = undeclared(far, pond, ["m1.parquet"])
why_8 = "A step opens some files only when its rows are fetched: fetch all of them."
assert said == ["m0.parquet", "m2.parquet", "m3.parquet"], why_8
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own: your log, your head, your attack, and a
# wrong file from the bureau to the letters.
#
# ```python
# lines = chain(drafts_of(9, 30))
# drawer = [note_of(lines, 20)]
# print(compare(lines, drawer, KEY))
# print([place for place in range(30) if attack(lines, drawer, KEY, place, NOBODY)])
# hit = tainted(SMALL.events, *SMALL.sent(2, 2))
# print({kind: len(names) for kind, names in hit.items()})
# case = {"application_id": 5, "model": "credit-1", "version": "2"}
# print(origin(case, STORE, SMALL.events))
# ```
