# %% [markdown]
# # 07 Scaling training and batch
#
# ## You will
#
# - score ten months in the memory of one, and measure it
# - run the same function on a Dask cluster, kill a worker, and get the same bytes
# - fit what a job costs over its rows, and compute from how many rows on an engine is faster
# - say from the scheduler's time for a task how many workers can help at all
# - train LightGBM on two workers, and say what the hash of that model proves
#
# ## You need
#
# Lessons 02/10 (slopes, batches) and 05/06 (Amdahl).
#
# ## Time
#
# 28 minutes to read, 40 seconds to run.
#
# ## The story so far
#
# Oakbank buys a rival and will score ten times as many applications each month. A vendor offers a cluster.

# %%
import time
from pathlib import Path

import numpy as np
import pandas as pd

from course.lesson import own_folder, show_source
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.scale.engines import scoring

own_folder()
world = scoring.large_bank(seed=3)
files = scoring.write_months(world, range(10))
past, bad = world.applications(-1), world.truth(-1)["would_default"]
model = CreditModel.fit(feature_matrix(past), bad)
MODEL, THREAD, ENGINE = map(Path, ("model.txt", "thread", "engine"))
model.save(MODEL)

# %% [markdown]
# ## One machine first
#
# The job: score ten files of 20,000 applications each. A score needs one row, so read a *batch* of rows, keep the
# scores, and forget the rest:

# %%
import pyarrow.parquet as pq

parts = (part for file in files for part in pq.ParquetFile(file).iter_batches(8_192))
by_hand = np.concatenate([model.predict(part.to_pandas()) for part in parts])

# %% [markdown]
# The tool is **DuckDB**: a database inside your process that reads only the columns that a query needs, in batches.

# %%
import duckdb

query = duckdb.sql(f"SELECT {', '.join(model.spec.columns)} FROM 'month-*.parquet'")
pieces = [model.predict(piece.to_pandas()) for piece in query.to_arrow_reader(8_192)]
assert (np.concatenate(pieces) == by_hand).all()

# %% [markdown]
# Both agree to the last bit. The bank's `score_file` scores one file, and writes its scores whole or not at all.
# `score_whole` reads all rows at once. `measure_step` of 02/10 runs each in a process of its own and says how much
# memory it took at most. **Guess** the growth for ten times the rows.

# %%
pd.concat(map(pd.read_parquet, files)).to_parquet("all.parquet", row_group_size=8_192)
peak = scoring.peaks(MODEL, [files[0], Path("all.parquet")], Path("peak"))
growth = peak.iloc[1] / peak.iloc[0]
assert growth["score_file"] < 2 < 3 < growth["score_whole"]
show_source(scoring.score_file, docstring=False)
peak.round(1)

# %% [markdown]
# `score_whole` needs more than three times the memory, `score_file` less than twice. (It still grows, as pyarrow reads
# a file's compressed columns ahead, unless you set `pre_buffer=False`.) This is our **one good thread**:


# %%
def thread(files):
    return [scoring.score_file(file, MODEL, THREAD) for file in files]


assert sum(thread(files)) == 200_000
assert (pd.read_parquet(THREAD)["probability"] == by_hand).all()

# %% [markdown]
# ## The same function on an engine
#
# **Dask** has a *scheduler*, which gives out *tasks*, and *workers*, processes that do them, here or on a hundred
# machines. With other machines, `Client` gets the scheduler's address, and the rest stays unchanged. Without
# `security=True`, whoever reaches the scheduler can run code as you. (By default, Ray asks for no login: MITRE ATLAS
# lists the attacks as *ShadowRay*, AML.CS0023.)

# %%
from dask.distributed import Client, LocalCluster

from oakbank.scale.engines import cluster

began = time.perf_counter()
options = {"threads_per_worker": 1, "dashboard_address": None, "security": True}
two = LocalCluster(n_workers=2, **options)
client = Client(two)
paths = {"model": MODEL, "folder": ENGINE}


def engine(files):
    return client.gather(client.map(scoring.score_file, files, pure=False, **paths))


assert sum(engine(files[:2])) == 40_000
start = time.perf_counter() - began
start_work = cluster.cpu_seconds(client) - time.process_time()  # of the workers

# %% [markdown]
# When the first file is done, we kill the worker that did it, as if its machine had failed. **Guess:** does the job
# finish, and is that first file scored again?

# %%
import os

import psutil
from dask.distributed import wait

jobs = client.map(scoring.score_file, files, pure=False, **paths)
wait(jobs[0])
written = (ENGINE / "month-0.parquet").stat().st_mtime_ns
(worker,) = client.who_has(jobs[0])[jobs[0].key]
psutil.Process(client.run(os.getpid, workers=[worker])[worker]).kill()

assert sum(client.gather(jobs)) == 200_000
assert (ENGINE / "month-0.parquet").stat().st_mtime_ns > written
for name in map(str, files):
    assert (ENGINE / name).read_bytes() == (THREAD / name).read_bytes()

# %% [markdown]
# The job finished, and all files have the thread's bytes. (The warning comes from the *nanny*, which restarts dead
# workers.) The first file was scored twice, because its answer, a number of rows, lay in the dead worker's memory. So
# **an engine may run a task twice**, and that is safe only if twice has the effect of once. A task that *adds* to a
# table, or sends a letter, must be made *idempotent* first.
#
# ## COST
#
# In 2015 McSherry, Isard and Murray searched published results of clusters for the *configuration that outperforms a
# single thread* (COST). Some needed hundreds of cores, some never won. We ask **from how many rows on the engine beats
# one good thread**.
#
# We measure the clock, that is how long you wait, and the *work*: CPU seconds of all processes, which other programs
# disturb far less. **Guess** which of the two the engine can reduce.

# %%
client.wait_for_workers(2)
past.head(1_000).to_parquet("few.parquet")
sizes = {1_000: [Path("few.parquet")]} | {n * 20_000: files[:n] for n in (2, 4, 8)}
found = cluster.race({"thread": thread, "engine": engine}, sizes, client)
assert start > 10 * found.loc[1_000, ("work", "thread")]
assert (found["work", "engine"] + start_work > found["work", "thread"]).all()
found.round(2)

# %% [markdown]
# Not the work: with its start it is more at each size, for the engine does all that the thread does, and more. **An
# engine pays with work for less waiting.** Its start (two files included) took over ten times the thread's work for
# 1,000 rows.
#
# Work is a line over rows, `t = a + b n`: three sizes give it, and the fourth checks it. At best the two workers have a
# core each; then the engine's clock is its start, plus `a`, plus half of `b` for each row.

# %%
from oakbank.scale.engines.crossing import Line, crossing, speedup

measured = found["work"].iloc[:3]
lines = {way: Line.fit(measured.index, measured[way]) for way in measured}
b, a = np.polyfit(measured.index, measured["thread"], 1)
assert np.isclose(lines["thread"].at(160_000), a + b * 160_000)
off = found["work"].loc[160_000] / [line.at(160_000) for line in lines.values()]
assert off.between(0.4, 2.5).all()
off.round(2)

# %%
stands = lines["engine"].shared(2)
starts = Line(stands.fixed + start, stands.per_row)
wins = [crossing(lines["thread"], line) for line in (stands, starts)]
assert wins[1] > 200_000
print(f"running: from {wins[0]:,.0f} rows on; to be started: {wins[1]:,.0f}")

# %% [markdown]
# For our ten files, a cluster that must start first loses even at best. (`inf`: the lines never cross.) One already
# running may win early, but somebody pays for it all day. Look at *your* clock above: on a busy machine two workers
# share what one thread would have had.
#
# ## How many workers can help?
#
# Amdahl's law (1967): if only one worker can do the part `s` of a job, its *serial fraction*, `N` workers make the job
# `1 / (s + (1 - s) / N)` times as fast, never more than `1 / s`. In an engine that part is, above all, the scheduler:
# one process, which handles each task. Measure it with a thousand tasks that do nothing. **Guess:** with 100 rows in a
# task, how much can a hundred machines help?

# %%
# The work of this process, where client and scheduler are:
each = cluster.spent(lambda: client.gather(client.map(abs, range(1_000))))[0] / 1_000
limit = {n: speedup(each / (each + b * n), np.inf) for n in (100, 2_000, 20_000)}
slow = speedup(each / (each + 10 * b * 100), np.inf)
assert limit[100] < min(10, slow)
print("at most:", {n: round(times, 1) for n, times in limit.items()}, round(slow, 1))

# %% [markdown]
# With 100 rows in a task, no number of machines makes this job even ten times as fast. Make tasks large: `N` workers
# stay busy only if a task takes at least `N` times what the scheduler needs for one.
#
# The last number is for a program that takes ten times as long for each of those rows. It *scales* better. A speed-up
# compares a program with itself, and does not say that it is fast.
#
# ## Training on the engine
#
# Scoring splits by rows. Training does not: each tree needs all rows. LightGBM's Dask classes leave the rows where they
# are and add up *histograms*. `place` puts half of them on each worker. **Guess:** does the model equal the thread's,
# to the byte? And a second from this cluster?

# %%
import lightgbm as lgb

from oakbank.scale.engines.training import SETTINGS, compare, place, train

rows = feature_matrix(past), bad.to_numpy()
learner = lgb.DaskLGBMClassifier(client=client, **SETTINGS)
learner.fit(*(place(client, part) for part in rows))
again = {f"engine, {n}": train(client, *rows) for n in (2, 3, 4)}
client.close()
two.close()

# %%
single = lgb.LGBMClassifier(n_jobs=1, **SETTINGS).fit(*rows)
other = lgb.LGBMClassifier(n_jobs=1, **SETTINGS | {"random_state": 1}).fit(*rows)
models = {"thread": single, "other seed": other, "engine, 1": learner} | again
table = compare(models, world.applications(0), world.truth(0)["would_default"])
assert table["changed"].iloc[1:].between(200, 800).all()
assert np.ptp(table["auc"]) < 0.003
assert table["file"].nunique() == 6
assert 3 <= table["trees"].nunique() <= 4
table.round(4)

# %% [markdown]
# Not the thread's model, and no two files are equal. Hundreds of the 20,000 decisions change, as with another
# seed; the AUC moves by less than 0.003. The models are equally good, and not the same, for two reasons:
#
# 1. **The file holds the workers' ports**, which are random. Without settings (column `trees`) at most two different
#    models of the engine are left.
# 2. **The trees depend on who is first.** Each feature's bins are found by one worker from its own half. And who is
#    the first worker? Dask's client puts keys into a Python *set* (distributed 2026.8, `Client.who_has`), and
#    LightGBM 4.7 numbers the workers in the order that comes out. It can change with each training.
#
# The registry's hash still says *which file decided*. It no longer says *how it was made*: nobody can train again and
# compare bytes, as 02/10 did. Log the workers and their rows, keep the file, and compare a second training by decisions
# and AUC. Or train on one machine while the rows fit; 02/10 computed how many.
#
# ## Your turn
#
# A vendor's cluster starts in 90 s and has 16 workers; its scheduler needs 1 ms for a task. One thread takes 5
# microseconds a row, a worker 6. Put into `wins_from` from how many rows on the cluster is faster, start included, and
# into `least` the fewest rows in a task that keep all workers busy.

# %%
# your code here

# %%
answer = [globals().get(name, 0) for name in ("wins_from", "least")]
right = np.allclose(answer, [90 / (5e-6 - 6e-6 / 16), 16 * 1e-3 / 6e-6], rtol=1e-3)
print("right" if right else "not yet: two lines, their `crossing`; a task lasts 16 ms")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# from oakbank.scale.engines.crossing import rows_in_a_task
#
# wins_from = crossing(Line(0, 5e-6), Line(90, 6e-6).shared(16))
# least = rows_in_a_task(1e-3, 6e-6, 16)
# assert round(Line(0, 5e-6).at(wins_from)) == 97
# ```
#
# Where the lines cross, both take 97 s. A shorter job needs no cluster.
# </details>
#
# ## What this does not prove
#
# Two workers in one machine: no network, no disk that dies with its machine, and a folder that all can write to, which
# a real cluster needs, too. `security=True` encrypts Dask's connections, not LightGBM's. The best case assumes idle
# cores, and work counts no waiting for a disk. Ray was not run; for Spark Connect, 03/07 draws the curve. That the
# models are equally good was seen for one world and one month.
#
# ## Check yourself
#
# <details><summary>A scoring job dies at 50 million rows: no memory. Your colleague asks for a cluster. What do you try first?</summary>
#
# Batches: read some rows, score, write, forget. Memory then depends on the batch, and the scores stay the same.
# </details>
#
# <details><summary>Each task adds its rows to one table, and a worker dies. What may the table hold, and what do you change?</summary>
#
# Some rows twice: a task whose answer was lost runs again. Let each task write a file of its own, whole or not at all.
# </details>
#
# <details><summary>A vendor shows that a job is 50 times as fast on 64 machines as on one. What do you ask?</summary>
#
# How long does one good thread take, without the engine? A slow program may scale well. Ask also for the start and
# work.
# </details>
#
# <details><summary>Two trainings on the same cluster, same rows, same seed, have different hashes. What has changed, and what do you compare?</summary>
#
# The ports in the file, always. Perhaps the trees too, by who was the first worker. Compare decisions and AUC.
# </details>
#
# ## Take-away
#
# **Measure one good thread first. An engine pays with work for less waiting: use it only when the time that it saves
# exceeds its start. And a model trained on it cannot be made again to the byte.**
#
# ## Go further
#
# - F. McSherry, M. Isard, D. Murray, *Scalability! But at what COST?*, HotOS 2015
# - G. M. Amdahl, *Validity of the single processor approach to achieving large scale computing capabilities*, AFIPS 1967
# - Dask 2026.8 documentation: *Best Practices*; Dask.distributed: *Resilience*
# - LightGBM 4.7 documentation: *Distributed Learning Guide*, *Dask API*; DuckDB 2.0: *Tuning Workloads*
# - The reference: `oakbank.scale.engines`
# - In the glossary: [COST](../../../GLOSSARY.md#cost), [serial fraction](../../../GLOSSARY.md#serial-fraction), [Dask](../../../GLOSSARY.md#dask), [distributed training](../../../GLOSSARY.md#distributed-training), [idempotence](../../../GLOSSARY.md#idempotence)
