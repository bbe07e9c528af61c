# %% [markdown]
# # 02 Ingestion and preprocessing
#
# ## You will
#
# - read files of three suppliers under one schema, and refuse the file that is not whole
# - put a number in EUR on taking whatever lies in the folder
# - keep the latest version of every application, in pandas and in SQL, and say what "latest" means
# - tell the day on which something happened from the day on which you knew
# - load only what is new, so that running it twice, or in any order, changes nothing
#
# ## You need
#
# Lesson 01/01, and pandas. A little SQL helps; each query is explained.
#
# ## Time
#
# 39 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# Until now the months of applications were simply there, each a clean table. In truth the bank gets them from its
# suppliers, as files in a folder, and somebody has to make the table.

# %% [markdown]
# ## What lies in the folder
#
# Applications reach Oakbank on several roads, and each road sends a file a week: the web portal sends Parquet, the
# branches and the brokers send CSV. The folder into which they put them is called the **landing zone**. `deliveries`
# fills one with four months of the simulator's people. It also hands us the truth about what went wrong on the way,
# which no real bank gets; we shall not look at it before we have a guess of our own.

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines.deliveries import deliveries
from oakbank.world import World

workspace = tempfile.TemporaryDirectory()
folder, world = Path(workspace.name), World(seed=7)
truth = deliveries(world, range(4), folder / "landing")
paths = sorted((folder / "landing").iterdir())
print(len(paths), "files:", ", ".join(path.name for path in paths[:5]), "...")

# %% [markdown]
# Each name begins with the day on which the file was sent. So far this looks like an afternoon's work:
#
# ## Take everything
#
# Read each file with pandas, put them one below the other, done.

# %%
import pandas as pd


def read(path):
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


naive = pd.concat([read(path).assign(file=path.name) for path in paths], ignore_index=True)
print(f"{len(naive):,} rows, no error, no warning")

# %% [markdown]
# No error and no warning. Here is what the bank would report from it, beside the truth: how many applications there
# were, how much money was asked for, and how many of the applicants would default. **Before you run the cell:** which of
# the three will be furthest off?

# %%
real = pd.concat([world.applications(month) for month in range(4)])
would_default = pd.concat([world.truth(month) for month in range(4)]).set_index("application_id")["would_default"]


def report(table):
    defaults = would_default.reindex(pd.to_numeric(table["application_id"]))
    return {"rows": len(table), "million EUR": table["amount"].sum() / 1e6, "default rate": defaults.mean()}


pd.DataFrame({"naive": report(naive), "truth": report(real)}).T.round(3)

# %%
print(f"{naive['application_id'].duplicated().sum():,} rows repeat an id that was there before")
print(f"{(naive['amount'].sum() - real['amount'].sum()) / 1e6:.1f} million EUR were never asked for")

# %% [markdown]
# A fifth more money than anybody asked for, and a default rate that is right to about a thousandth. That is why this fault
# lives so long: whoever repeats rows at random repeats good and bad ones alike, so averages and models look healthy,
# while every sum is wrong. The share of a month's budget that is spent, the risk in the books, the report to the
# supervisor: they are sums.
#
# ## One shape for all
#
# Look at the same column in three files that were sent on one day.

# %%
day = [read(folder / "landing" / f"2024-01-22-{name}") for name in ("portal.parquet", "branch.csv", "broker.csv")]
shapes = {name: [str(part[name].dtype) if name in part else "-" for part in day] for name in naive}
pd.DataFrame(shapes, index=["portal", "branch", "broker"]).T.loc[
    ["application_id", "month", "applied_on", "age", "income", "employment", "campaign"]
]

# %% [markdown]
# A **schema** says which columns there are and of which type. CSV has none, so pandas guesses, file by file, from the
# values that happen to be in it. The cure is to not guess: read each cell as text, then put *our* schema on. That is
# called schema on read, and pyarrow does it strictly. (Dates are text in all three, in the portal's Parquet too: one
# broken date in a file turned its whole column into text.)

# %%
import pyarrow as pa
import pyarrow.csv as pa_csv

wanted = {"application_id": pa.int64(), "age": pa.float64(), "income": pa.float64(), "amount": pa.float64()}
options = pa_csv.ConvertOptions(column_types=wanted, include_columns=list(wanted), null_values=["", "n/a"])
good = pa_csv.read_csv(folder / "landing" / "2024-01-22-broker.csv", convert_options=options)
good.schema

# %% [markdown]
# Strict also means that it does not take a broken file. Two of ours broke off half-way through an upload. This is the
# end of one of them, and what pandas made of its last row:

# %%
cut = folder / "landing" / truth.refused[0]
print(repr(cut.read_text()[-60:]))
read(cut).tail(2)[["group", "term", "amount", "region", "age", "income", "application_id"]]

# %%
try:
    pa_csv.read_csv(cut)
except pa.ArrowInvalid as error:
    print("pyarrow:", str(error).splitlines()[0][:120])

# %% [markdown]
# pandas fills up the row that broke off with NaN and says nothing; pyarrow counts the cells and refuses. Refusing is
# right: half a file is not half right, and the supplier sends it again the next day. A cut exactly between two rows
# would show in neither. That is why the reference asks for a line end at the end of each file, and why careful suppliers
# send the number of rows along.
#
# ## Preprocessing: types, categories, missing values
#
# Two more guesses do harm later. The first is **categories**. A model needs numbers, and the obvious way is to number the
# values as they come:

# %%
for part, name in zip(day, ("portal", "branch", "broker"), strict=True):
    print(name, dict(enumerate(part["region"].drop_duplicates())))

# %% [markdown]
# Region 2 is south, west or east, depending on the file: a model trained on one of them would read the others as
# nonsense. So the values and their order belong into the schema, fixed once:

# %%
from oakbank.world import CATEGORIES

kind = pd.CategoricalDtype(list(CATEGORIES["region"]))
for part, name in zip(day, ("portal", "branch", "broker"), strict=True):
    print(name, part["region"].head(4).tolist(), part["region"].head(4).astype(kind).cat.codes.tolist())

# %% [markdown]
# The second is **missing values**. `n/a`, an empty cell and NaN all mean "nobody told us". Which words mean it is part of
# the schema too; without it one such word makes text of a whole column of numbers:

# %%
told = next(path for path in paths if path.suffix == ".csv" and "n/a" in path.read_text())
for words in ([], ["n/a"]):
    income = pd.read_csv(told, keep_default_na=False, na_values=words)["income"]
    print(f"missing are {words}: income is {income.dtype}, {income.isna().sum()} of {len(income)} values are missing")

# %% [markdown]
# What is missing is not 0, for an income of 0 is a statement about a person, and it is not the mean either. What to do
# with a gap is for the contract (next lesson) and the model to decide. The intake's job is to say that it is there.
#
# ## The latest version counts
#
# Now to the rows that repeat. A row can come twice because a button was pressed twice, or because the first one was wrong
# and this is the correction. One rule serves both: **for each application the version that was sent last counts.**
# pandas says it in one line, once the rows stand in the order in which they were sent.

# %%
whole = naive[~naive["file"].isin(truth.refused)]
by_hand = whole.sort_values("file", kind="stable").drop_duplicates("application_id", keep="last")
pd.DataFrame({"naive": report(naive), "latest": report(by_hand), "truth": report(real)}).T.round(3)

# %% [markdown]
# Nearly. The rows are right now but the money is not. **Before you read on:** some of the files came a second time. What
# does the rule do with a correction that lies between a file and its second coming?

# %%
amounts = by_hand.set_index("application_id")["amount"]
wrong = amounts[amounts != real.set_index("application_id")["amount"].reindex(amounts.index)]
by_hand.set_index("application_id").loc[wrong.index, "file"].value_counts()

# %% [markdown]
# Each of them is in a file that was sent again: old news with a new date, which overwrote the corrections. A file with
# bytes that we have seen before says nothing new, whatever its name and date. A hash of the content tells.

# %%
from oakbank.world.files import file_hash

first_seen = {}
for path in paths:
    first_seen.setdefault(file_hash(path), path.name)
whole = whole[whole["file"].isin(first_seen.values())]
by_hand = whole.sort_values("file", kind="stable").drop_duplicates("application_id", keep="last")
pd.DataFrame({"latest": report(by_hand), "truth": report(real)}).T.round(3)

# %% [markdown]
# To the last cent. So "latest" took two decisions: sent later beats sent earlier, and the same bytes are not sent later
# but again. Write such a rule down where the suppliers can read it. The file's name carries it here, and a supplier who
# names a file wrongly breaks it.
#
# ## The tool: DuckDB
#
# pandas had to hold every version of every row at once. A database need not. DuckDB is one that lives inside the Python
# process and speaks SQL to data frames, Arrow tables and Parquet files. `row_number()` numbers the versions of each
# application, the last sent first, and we keep number one:

# %%
import duckdb

versions = whole.reset_index(names="row")[["application_id", "file", "row", "amount", "age"]]
latest = duckdb.sql("""
    SELECT application_id, file, amount FROM (
        SELECT *, row_number() OVER (PARTITION BY application_id ORDER BY file DESC, "row" DESC) AS version FROM versions
    ) WHERE version = 1 ORDER BY application_id
""").df()
ours = by_hand.sort_values("application_id")[["application_id", "file", "amount"]].reset_index(drop=True)
print("pandas and DuckDB agree on", len(latest), "rows:", ours.equals(latest))

# %% [markdown]
# ## Two clocks
#
# Every row has two times: when it happened (**event time**, here `applied_on`) and when we learnt of it (**arrival
# time**, the day in the file's name). Some applications arrive weeks after they were made, **late data**. So the number
# of applications in January depends on the day on which you ask.

# %%
arrived = whole.assign(
    applied=pd.to_datetime(whole["applied_on"], errors="coerce", format="ISO8601"),
    arrived=pd.to_datetime(whole["file"].str[:10]),
)
january = arrived[arrived["applied"].dt.month == 1].sort_values(["arrived", "file"])
known = january.drop_duplicates("application_id", keep="first")["arrived"].value_counts().sort_index().cumsum()
received = january["arrived"].value_counts().sort_index().cumsum()

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 3.2))
ax.step(received.index, received, where="post", color="C3", label="rows received")
ax.step(known.index, known, where="post", color="C0", label="applications known")
ax.axhline(len(world.applications(0)), color="0.6", lw=1, ls="--", label="applications made")
ax.axvline(pd.Timestamp("2024-02-01"), color="0.8", lw=1)
ax.set(xlabel="day on which you ask", ylabel="January 2024", title="January is not over when January is over")
ax.set_ylim(bottom=1_500)
_ = ax.legend(loc="lower right")

# %% [markdown]
# The red line is what a `COUNT(*)` over the received files says. When January ends it is within
# a hundredth of the truth, and wrong twice: some rows are there two times while other applications are still missing.
# Two faults of opposite sign are not a correct number.
#
# When is January complete, then? Never for certain. You choose a **watermark**: a date before which you treat everything
# as arrived. The choice has a price either way, and the table shows it.

# %%
ends = pd.Timestamp("2024-02-01")
waits = {days: known[known.index <= ends + pd.Timedelta(days=days)].iloc[-1] for days in (0, 7, 14, 28, 56)}
pd.Series({f"{days} days": f"{count / len(world.applications(0)):.1%} of January" for days, count in waits.items()})

# %% [markdown]
# A report for Monday morning closes early and says so. Training can wait: it needs outcomes, which take three months
# anyway (lesson 01/01), so by then nearly all late rows are there. What neither may do is to drop the rows that come
# after the watermark: the lake takes them into the month in which they *happened*, and rewrites that month.
#
# ## Only what is new
#
# Next week there will be three more files, in a year a hundred and fifty. An **incremental load** takes in only those it does
# not know. It needs a memory, the **ledger**, and we have its key already: the hash of the content.

# %%
ledger = set()


def new_files(paths):
    fresh = [path for path in paths if file_hash(path) not in ledger]
    ledger.update(file_hash(path) for path in fresh)
    return fresh


early = [path for path in paths if path.name < "2024-03-01"]
print([len(new_files(some)) for some in (early, paths, paths)], "of", len(paths), "files")

# %% [markdown]
# The third run found nothing to do, so it can run every hour and after every failure: it is idempotent. But this ledger
# has a fault that every first ledger has. **Before you unfold it:** the process dies between the two lines of `new_files`
# and the work that follows. What does the next run do?
#
# <details><summary>What goes wrong</summary>
#
# It writes the file down before its rows are in the lake. After the kill the ledger says "done", the next run skips the
# file, and its rows are lost without a trace. The ledger must be written *last*; then a kill costs a repetition, and a
# repetition is harmless.
# </details>
#
# ## The intake of the reference
#
# `take_in` puts these pieces together, and its order of work is the point. Each new file is split into rows by month;
# then the months that changed are written, each whole or not at all; then the ledger.

# %%
from course.lesson import show_source
from oakbank.pipelines import intake

show_source(intake.take_in, begin="for path in files:")

# %% [markdown]
# And here is the rule of this lesson as it stands there. It asks for one month at a time, so that memory need not grow
# with the lake. `latest_month` is there because a correction may say that an application is of another month; it must
# not stay in both.

# %%
print(intake.VERSIONS)

# %% [markdown]
# `place` is the place of a delivery in the order of names, where a file that was sent again has its first name. Run it:

# %%
from dataclasses import asdict

from oakbank.world import Lake

lake = Lake(folder / "lake")
first = intake.take_in(folder / "landing", lake, folder / "quarantine")
counts = ["delivered", "taken", "corrected", "duplicates", "quarantined"]
planted = {**asdict(truth), "quarantined": sum(truth.reasons.values())}
pd.DataFrame({"found": asdict(first), "planted": planted}).loc[counts]

# %% [markdown]
# Now we look at the truth, and every count agrees. `taken + duplicates + quarantined` is `delivered`: no row went
# missing on the way. The files that broke off are named, with what to do:

# %%
for name, why in first.refused.items():
    print(f"{name}: {why}")

# %% [markdown]
# Rows that cannot be an application were set aside, as they were delivered, each with its reason. That is called a
# quarantine, and the next lesson is about who decides what goes there.

# %%
aside = intake.read_quarantine(lake, folder / "quarantine")
aside.groupby("reason").agg(rows=("row", "size"), first_file=("delivery", "min"))

# %% [markdown]
# What matters in the end is the lake. We compare it, by the hash of each file, with one that was filled straight from the
# world, less the few applications that arrived broken and were never mended.

# %%
honest = Lake(folder / "honest")
for month in range(4):
    honest.write("applications", month, truth.lake(world, month))
    same = file_hash(honest.path("applications", month)) == file_hash(lake.path("applications", month))
    print(f"month {month}: equal to the byte: {same}")

# %% [markdown]
# And once more with the same folder; then from nothing, in three runs, the files in the wrong order.

# %%
again = intake.take_in(folder / "landing", lake, folder / "quarantine")
print("second run: rows taken", again.taken, "| months written", again.months)

# %%
import shutil

other = Lake(folder / "other")
(folder / "slowly").mkdir()
for part in (paths[40:], paths[20:40], paths[:20]):
    for path in part:
        shutil.copy(path, folder / "slowly")
    run = intake.take_in(folder / "slowly", other, folder / "quarantine-of-other")
    print(f"{len(run.files)} new files, {run.taken:>5} rows taken, months written {run.months}")
hashes = [[file_hash(each.path("applications", month)) for month in range(4)] for each in (lake, other)]
print("same lake:", hashes[0] == hashes[1])

# %% [markdown]
# The lake depends on *what* was delivered and on nothing else: not on when the intake ran, how often, or in which order.
# `tests/test_pipelines_intake.py` draws such orders at random, and kills the intake at every moment at which it puts
# something on the disk.

# %%
workspace.cleanup()

# %% [markdown]
# ## What this does not prove
#
# That a row is *right*. Of the corrections that we saw, each wrong amount had stood in the lake for a week or two, of the
# right type, within its range: no intake can see that, and a whole feed can be wrong in the same quiet way (lesson
# 02/03). A file cut exactly between two rows is taken for a whole one. Our suppliers name their files in order; clocks
# and people do not always. The ledger hashes the whole landing zone on every run, which is fine for hundreds of files, and a bank
# with millions would list only the new days. Lateness here is drawn from one simple distribution, so the watermark's
# table is about Oakbank and not about your suppliers: measure yours.
#
# ## Check yourself
#
# <details><summary>A supplier sends last week's file again by mistake. Why does "the version sent last counts" do harm, and what prevents it?</summary>
#
# The old rows now carry the newest date and overwrite the corrections that came in between. The hash of the content
# tells that nothing new was sent, so the file counts under its first name.
# </details>
#
# <details><summary>A row of January arrives in March. Into which month of the lake does it go, and what else must happen?</summary>
#
# Into January, when it happened. January is rewritten, whole; whatever was computed from January is out of date, which
# the content hashes of lesson 02/01 notice by themselves.
# </details>
#
# <details><summary>Why is the ledger written last?</summary>
#
# A kill between the two then repeats work that gives the same bytes. The other way round it would lose rows.
# </details>
#
# <details><summary>January had 1,960 applications on Monday's report and 1,994 on today's. Who made a mistake?</summary>
#
# Nobody. The two reports have the same event time and another arrival time. A number over data that can still arrive
# needs the day on which it was asked.
# </details>
#
# ## Take-away
#
# **Data comes late, twice and broken. Make the lake a function of what was delivered, and it no longer matters when, how
# often or in which order you run.**
#
# ## Go further
#
# - T. Akidau et al., *The Dataflow Model*, VLDB 2015: event time, arrival time and watermarks
# - DuckDB 2.0 documentation: *Window functions*; Apache Arrow 25: *Reading and writing CSV files*
# - M. Kleppmann, *Designing Data-Intensive Applications*, O'Reilly 2017, chapter 11: idempotence instead of exactly once
# - The reference: `oakbank.pipelines.intake`, `landing`, `ledger` and `deliveries`
# - Lesson 02/03 takes up what is well-formed and wrong; the lab `02-validate-the-intake` practises both
# - In the glossary: [incremental load](../../../GLOSSARY.md#incremental-load), [idempotence](../../../GLOSSARY.md#idempotence), [schema](../../../GLOSSARY.md#schema), [quarantine](../../../GLOSSARY.md#quarantine)
