# %% [markdown]
# # 04 Features and the feature store
#
# ## You will
#
# - say what a join that leaks promises, and measure what it delivers
# - join features as they were known on the day, in ten lines of pandas
# - find a leak by changing the future and looking at what moves
# - keep the same features in Feast: in history for training, online for serving
# - write the skew test that finds two definitions drifting apart
#
# ## You need
#
# Lessons 01/06 (leakage, splits in time) and 02/01, and pandas with `groupby` and `merge`.
#
# ## Time
#
# 44 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# Oakbank's pipeline ingests and validates (lessons 02/02 and 02/03), and its features are all on the form that the
# applicant filled in. The credit desk now says: "We also look at how people like this one have been doing lately."

# %% [markdown]
# ## A feature that is not on the form
#
# An applicant comes once, so there is no history of the person. There is one of the *segment*: all who came through the
# same channel, for the same purpose, from the same region. Here are the bank's loans with their outcomes. `month` is
# when the application came, `known_month` when the bank learned how it ended: three months later.

# %%
import pandas as pd

from oakbank.world import World

world, months = World(seed=0, scenario="calm"), []
for month in range(-12, 6):
    granted = world.officer_decisions(month).query("granted")["application_id"]
    outcome = world.outcomes(month + 3, granted)[["application_id", "known_month", "defaulted"]]
    months.append(world.applications(month).merge(outcome, on="application_id"))
loans = pd.concat(months, ignore_index=True).astype({"month": int, "known_month": int})
loans["segment"] = loans[["channel", "purpose", "region"]].astype(str).agg(" ".join, axis=1)
loans[["application_id", "month", "known_month", "segment", "defaulted"]].iloc[[0, 5000, 15000]]

# %% [markdown]
# Today month 3 begins. What became known before it is `known`, and a model may learn from it; the last two months of it
# are the hold-out, as ever. Then there is `live`, months 3 to 5: the people whom the model will score. Their outcomes
# are a look behind the curtain, which we use for one thing only, to see how good the scores were.

# %%
known = loans[loans["known_month"] < 3].copy()
live = loans[loans["month"].between(3, 5)].copy()
print(f"{len(known):,} loans to learn from, {len(live):,} to score, {loans['segment'].nunique()} segments")

# %%
from dataclasses import replace

from sklearn.metrics import roc_auc_score

from oakbank.pipelines import OAKBANK, CreditModel, feature_matrix


def fit(table, *extra):
    spec = replace(OAKBANK, name="lesson", numeric=OAKBANK.numeric + extra)
    return CreditModel.fit(feature_matrix(table, spec), table["defaulted"], spec=spec)


def auc(model, table):
    return roc_auc_score(table["defaulted"], model.predict(table))


# %% [markdown]
# That is the champion's recipe, with room for extra columns. Without any, it gets:

# %%
scores = {}
form = fit(known[known["month"] < -2])
scores["form only"] = auc(form, known[known["month"] >= -2]), auc(form, live)
print("AUC on the hold-out {:.3f}, on the live months {:.3f}".format(*scores["form only"]))

# %% [markdown]
# ## The join that promises
#
# Now the credit desk's feature, as most people write it the first time: the share of defaults by segment and month, and
# each loan gets the share of its own segment and month.

# %%
known["by_month"] = known.groupby(["segment", "month"])["defaulted"].transform("mean")
leaky = fit(known[known["month"] < -2], "by_month")
promised = auc(leaky, known[known["month"] >= -2])
print(f"AUC on the hold-out {promised:.3f}")

# %% [markdown]
# A jump like this is what makes a career: the split is in time, the hold-out is untouched, and one column is worth more
# than a year of tuning. **Write down what you expect on the live months.** When month 3 begins, nobody knows how its
# loans will end, so the service takes the newest month there is:

# %%
newest = known[known["month"] == known["month"].max()].groupby("segment")["defaulted"].mean()
live["by_month"] = live["segment"].map(newest)
scores["by month of application"] = promised, auc(leaky, live)
print("promised {:.3f}, delivered {:.3f}".format(*scores["by month of application"]))

# %% [markdown]
# It delivers less than the model that never saw the column. The hold-out could not warn us, because the hold-out has
# the same fault: in a small segment, the share of defaults *of that month* is to a good part the loan's own outcome,
# and the rest became known three months after the decision. The trees learned to trust it, and in service it is a
# different number: old, and of other people.
#
# ## What was known on the day
#
# Every row of history has two times, when it happened and when the bank knew. Features must go by the second. An
# outcome learned in month k is there when month k + 1 begins; from then on it counts, whenever the loan was. So add the
# outcomes up in the order in which they became known, and give each application the newest sum that is not younger
# than itself. pandas calls that join `merge_asof`.


# %%
def counts_as_of(asked, told, by):
    told = told.assign(moment=told["known_month"] + 1)
    sums = told.groupby([by, "moment"])["defaulted"].agg(["size", "sum"]).groupby(by).cumsum()
    sums = sums.reset_index().sort_values("moment")
    asked = asked[[by, "month"]].sort_values("month", kind="stable")
    found = pd.merge_asof(asked, sums, left_on="month", right_on="moment", by=by)
    return found.set_index(asked.index)[["size", "sum"]].sort_index().fillna(0)


# %% [markdown]
# A segment with three outcomes has no rate to speak of. So we *smooth*: as if 50 more people had been there who
# defaulted at the bank's overall rate, as known on that same day. A large segment hardly notices, a new one starts at
# the average.


# %%
def rate_as_of(asked, told, prior=50):
    own = counts_as_of(asked, told, "segment")
    everybody = counts_as_of(asked.assign(all=0), told.assign(all=0), "all")
    return (own["sum"] + prior * (everybody["sum"] / everybody["size"])) / (own["size"] + prior)


known["as_known"], live["as_known"] = rate_as_of(known, loans), rate_as_of(live, loans)
honest = fit(known[known["month"] < -2], "as_known")
scores["as known on the day"] = auc(honest, known[known["month"] >= -2]), auc(honest, live)
print("promised {:.3f}, delivered {:.3f}".format(*scores["as known on the day"]))

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 2.6))
for row, (hold_out, in_service) in enumerate(scores.values()):
    ax.plot([hold_out, in_service], [row, row], color="0.7", lw=3, zorder=0)
    ax.plot(hold_out, row, "o", color="C0", label="promised on the hold-out" if row == 0 else None)
    ax.plot(in_service, row, "s", color="C3", label="delivered on live months" if row == 0 else None)
ax.set_yticks(range(len(scores)), list(scores))
ax.set(xlabel="AUC", title="A leak is a promise", ylim=(-0.5, 2.5))
_ = ax.legend(loc="lower right")

# %% [markdown]
# The honest column keeps its word. It also adds next to nothing, and we come back to that.
#
# ## Change the future
#
# Could you have found the leak without waiting for the live months? Yes, and it takes no model. Choose a moment, change
# everything that became known from then on, and compute the features of the earlier applications again. **What was
# known on the day cannot move.** What moves has seen the future.


# %%
def moved_by_the_future(feature, moment):
    future = loans["known_month"] >= moment
    changed = loans.assign(defaulted=loans["defaulted"] ^ future)
    before, after = feature(loans).fillna(-1), feature(changed).fillna(-1)
    return int((before != after)[loans["month"] <= moment].sum())


def by_month(table):
    return table.groupby(["segment", "month"])["defaulted"].transform("mean")


# %%
features = {"by_month": by_month, "as_known": lambda table: rate_as_of(loans, table)}
for name, feature in features.items():
    print(name, [moved_by_the_future(feature, moment) for moment in (-6, -3, 0, 3)])

# %% [markdown]
# The numbers are loans whose feature moved, at four moments. Note the `<=` in the last line of the test: an application
# of month m may use what was known *before* m, so its own month must stay still too. With `<` there, a feature that is
# one month too curious would pass. And a feature that only *counts* outcomes stays still when they are turned round: take
# the future's rows away as well, and it moves.
#
# ## The reference
#
# Oakbank's own version does this for several segments at once. Everything in it is a *change* of a whole number at a
# moment: an outcome adds one, a correction that comes later takes one back, an application adds one to `recent` and
# takes it away three months later. A feature as of a day is then a sum of changes, and late data needs no special case.

# %%
from course.lesson import show_source
from oakbank.pipelines import history

show_source(history.training_view)

# %%
spec = history.HistorySpec(segments=(("channel", "purpose", "region"),))
changed = history.changes(loans, loans, spec)
reference = history.training_view(loans, changed, spec)
ours = rate_as_of(loans, loans)
assert ours.equals(reference["channel_purpose_region_default_rate"].rename(None))
print(f"{len(ours):,} rates, ours and the reference agree to the last bit")

# %% [markdown]
# ## Does it help?
#
# Not here, and it is worth knowing why. Channel, purpose and region are on the form already; in a calm world a
# segment's past says what the trees can learn from the form. History can only pay when the world changes, or when a
# group is too rare for the trees. So let us ask where it might: in month 8 the bank signs with a comparison site, and
# half of all applications come from there. We train at month 9 and at month 12, and score the three months after each.

# %%
drift, applied, told = World(seed=0, scenario="data-drift-sudden"), [], []
for month in range(-12, 15):
    applied.append(drift.applications(month))
    granted = drift.officer_decisions(month).query("granted")["application_id"]
    told.append(drift.outcomes(month + 3, granted))
applied, told = pd.concat(applied, ignore_index=True), pd.concat(told, ignore_index=True)
table = applied.merge(told[["application_id", "known_month", "defaulted"]], on="application_id")
table = table.join(history.training_view(table, history.changes(applied, told)))

# %%
columns = {"form only": (), "with rates": history.HISTORY.rate_names, "and counts": history.HISTORY.feature_names}
result = pd.DataFrame(index=list(columns), columns=["month 9", "month 12"], dtype=float)
for today in (9, 12):
    past = (table["known_month"] < today) & (table["month"] >= today - 15)  # the champion's window of twelve months
    next_months = table["month"].between(today, today + 2)
    for name, extra in columns.items():
        result.loc[name, f"month {today}"] = auc(fit(table[past], *extra), table[next_months])
result.round(3)

# %% [markdown]
# In month 9 no outcome of the new customers is known. The rates help a little, since they carry the few old customers
# of such sites, too few for a leaf of a tree; the counts help more. Three months later the same counts cost more than
# they had won. They are right, to the bit, as of each day. But a count grows with the business: the model meets numbers
# larger than any that it was trained on. **Point-in-time correct is not the same as useful, or safe.** Oakbank's
# `OAKBANK_HISTORY` offers the rates to a model, leaves the counts to people, and is off by default.
#
# ## A feature store
#
# Whatever its worth, the feature must now be there twice: for training, thousands of rows, each as of its own day; for
# serving, one row within milliseconds, as of now. A *feature store* keeps both from one definition.
#
# ```mermaid
# flowchart LR
#     C[changes: what became known, and when] --> F[one definition of the feature]
#     F --> O[(offline store: every value with its day)]
#     O -- point-in-time join --> T[training table]
#     O -- materialise: the newest value --> N[(online store: one value per key)]
#     N -- lookup by key --> S[service]
#     T -. skew test: the same moment, the same bits .- S
# ```
#
# In words: the definition writes every value, with the day from which on it holds, into the offline store. Training
# joins from there as of each row's day. From time to time the newest values are copied to the online store, which the
# service reads by key. A test compares both for the same moment.
#
# Feast is the open-source one. Its offline store can be a Parquet file: a key, the features, an event timestamp (from
# when on the value holds) and a created timestamp (when the row was written). Ours has a row for each segment and month.

# %%
grid = loans.drop_duplicates("segment")[["segment", "channel", "purpose", "region"]]
grid = grid.merge(pd.DataFrame({"month": range(-8, 7)}), how="cross")
rows = grid[["segment"]].join(history.training_view(grid, changed, spec).set_axis(["rate", "known", "recent"], axis=1))
rows["from_when"] = [pd.Timestamp(2024 + m // 12, m % 12 + 1, 1, tz="UTC") for m in grid["month"]]
rows["written"] = rows["from_when"]
rows.tail(2)

# %%
import tempfile
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

folder = tempfile.TemporaryDirectory()
files = {name: str(Path(folder.name) / name) for name in ("registry.db", "online.db", "segments.parquet")}
rows.to_parquet(files["segments.parquet"])
online = {"type": "sqlite", "path": files["online.db"]}
config = {"project": "oakbank", "provider": "local", "registry": files["registry.db"], "online_store": online}
store = FeatureStore(config=RepoConfig(**config, offline_store={"type": "file"}, entity_key_serialization_version=3))

# %% [markdown]
# An *entity* says what a value belongs to, a *feature view* which features there are and where they lie. `apply` writes
# both into Feast's registry.

# %%
segment = Entity(name="segment", join_keys=["segment"], value_type=ValueType.STRING)
source = FileSource(path=files["segments.parquet"], timestamp_field="from_when", created_timestamp_column="written")
fields = [Field(name=name, dtype=Float64) for name in ("rate", "known", "recent")]
view = FeatureView(name="history", entities=[segment], schema=fields, source=source, ttl=timedelta(0))
store.apply([segment, view])

# %% [markdown]
# `ttl` says how old a value may be; zero means that it never expires. For training we ask with keys and days:

# %%
WANTED = ["history:rate", "history:known", "history:recent"]
asked = loans[loans["month"] >= -8][["application_id", "segment"]]
asked["event_timestamp"] = loans["applied_on"].dt.tz_localize("UTC")
answer = store.get_historical_features(asked, WANTED).to_df()
print(f"asked for {len(asked):,} rows, got {len(answer):,}")

# %% [markdown]
# Count the rows after each join; here it pays. Two people of one segment applied on one day, and Feast 0.67 with a file
# as its offline store keeps one row for each key and time. It is a known fault, which the SQL stores do not have. So we
# ask once for each pair, and join the answer to our own table, in which no row can get lost.

# %%
pairs = asked[["segment", "event_timestamp"]].drop_duplicates()
answer = store.get_historical_features(pairs, WANTED).to_df()
training = asked.merge(answer, on=["segment", "event_timestamp"], how="left", validate="many_to_one")
assert len(training) == len(asked)
assert (training["rate"].to_numpy() == ours[asked.index].to_numpy()).all()
print(f"{len(training):,} rates, Feast's join and our ten lines agree to the last bit")

# %% [markdown]
# ## Two clocks again
#
# In May an audit finds that a segment's rate for January was wrong, and writes the right value under the old day. What
# should a model of today be trained on for an application of January: the wrong value, which the service used then, or
# the right one? **Say which, before you look at what Feast does.**

# %%
one = "broker car north"
january, may = pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-05-01", tz="UTC")
fixed = rows[(rows["segment"] == one) & (rows["from_when"] == january)].assign(rate=0.5, written=may)
pd.concat([rows, fixed]).to_parquet(files["segments.parquet"])
question = pd.DataFrame({"segment": [one], "event_timestamp": [pd.Timestamp("2024-01-15", tz="UTC")]})
for strict in (False, True):
    answer = store.get_historical_features(question, WANTED[:1], filter_by_created_timestamp=strict)
    print(f"filter_by_created_timestamp={strict!s:<6}", answer.to_df()["rate"].round(4).tolist())

# %% [markdown]
# By default the created timestamp only breaks ties, and the newest row wins: a backfill rewrites history, and no model
# was ever served that value. With the filter the join asks both clocks. This is our leak once more, in a store that is
# "point-in-time correct": it is, by the event's time. What was *known* is the other one.

# %%
rows.to_parquet(files["segments.parquet"])  # the audit was an exercise

# %% [markdown]
# ## The online store
#
# Month 3 begins. We bring both online stores to that moment: Feast's, which copies the newest value of each key, and the
# reference's, which adds the changes since the last time to its counts.

# %%
import contextlib
import io

from oakbank.pipelines.online import HistoryStore

april = pd.Timestamp("2024-04-01", tz="UTC").to_pydatetime()
with contextlib.redirect_stdout(io.StringIO()):  # Feast reports its progress in colours
    store.materialize(start_date=rows["from_when"].min().to_pydatetime(), end_date=april)
mine = HistoryStore(Path(folder.name) / "history.db", spec)
print(
    "segments that changed:", mine.materialise(changed, as_of=3), "- and the second time:", mine.materialise(changed, 3)
)

# %% [markdown]
# The second run changed nothing, and so it must be: a nightly job gets restarted. Now one applicant comes in.

# %%
applicant = {"channel": "broker", "purpose": "car", "region": "north"}
theirs = store.get_online_features(features=WANTED, entity_rows=[{"segment": "broker car north"}]).to_dict()
columns = {"reference": list(mine.lookup(applicant).values())}
columns["Feast"] = [theirs[name][0] for name in ("rate", "known", "recent")]
pd.DataFrame(columns, index=["rate", "known", "recent"])

# %% [markdown]
# ## Skew
#
# The two agree for one applicant. A skew test asks it for all keys and against what training would get, and it asks
# for equality of bits: "about the same" is how drifting apart begins.


# %%
def skew(serve):
    people = grid[grid["month"] == 3].set_index("segment")
    trained = history.training_view(people, changed, spec).iloc[:, 0]
    served = pd.Series({key: serve(key, row) for key, row in people.iterrows()})
    return (served - trained)[served != trained]


def by_feast(key, row):
    return store.get_online_features(WANTED[:1], entity_rows=[{"segment": key}]).to_dict()["rate"][0]


def by_reference(key, row):
    return mine.lookup(row)["channel_purpose_region_default_rate"]


print("Feast differs in", len(skew(by_feast)), "segments, the reference in", len(skew(by_reference)))

# %% [markdown]
# Now the accident. The service is written by another team in another language. They read the definition in a wiki, "the
# share of defaults among known outcomes, smoothed with 50 at the bank's rate". The bank's rate they read off a dashboard,
# which rounds, and they make it a constant. Their tests are green.

# %%
dashboard = round(loans.loc[loans["known_month"] < 3, "defaulted"].mean(), 2)


def by_another_team(key, row):
    counts = counts_as_of(pd.DataFrame({"segment": [key], "month": [3]}), loans, "segment").iloc[0]
    return (counts["sum"] + 50 * dashboard) / (counts["size"] + 50)


drifted = skew(by_another_team)
print(f"{len(drifted)} segments differ, by {drifted.abs().max():.4f} at most")

# %% [markdown]
# Nobody would see this on a chart, and today it hardly moves a score. But the two are not the same feature any more: when
# the bank's rate rises in a recession, one follows and the other does not, and the difference is largest where the
# history is shortest. A test with a tolerance of a percent would be green until then. Equality was red on the first night.
#
# Why can the reference hold to the last bit? Both views keep whole numbers, whose sums do not depend on any order, and
# one function turns them into features:

# %%
show_source(history.feature_values)
mine.close()
folder.cleanup()

# %% [markdown]
# ## What this does not prove
#
# Our moments are months, and one night's job keeps the online store fresh; where features change by the second, the
# store is fed from a stream, and how late it may be becomes a number of its own. `HistoryStore` is a file on one
# machine, as is Feast's store here: nothing was measured about many readers or a network between. The scores come
# from one seed each; that counts can hurt we saw, that rates help we saw in one scenario and by about one point of AUC.
#
# ## Check yourself
#
# <details><summary>The split was in time and the hold-out untouched. Why did neither show the leak?</summary>
#
# The fault is in the column, and the hold-out's column was made in the same way. A hold-out shows what a model does with
# unseen rows, not whether its inputs will exist.
# </details>
#
# <details><summary>An outcome has month 4 and known_month 9, two months late. From which month on may a feature use it?</summary>
#
# From month 10: it became known in month 9, and a month begins with what was known before it. The month of the
# application plays no part, nor does the usual delay.
# </details>
#
# <details><summary>Your join is point-in-time correct by its event timestamps. What else must you ask of it?</summary>
#
# Whether values were written or corrected later under an old day. What was known is told by the created timestamp, and
# Feast looks at it only if asked.
# </details>
#
# <details><summary>A colleague proposes that the skew test should allow one percent, "because of floating point". What do you say?</summary>
#
# That the tolerance is where drift will live. Two computations of one definition from the same whole numbers agree to
# the bit; if they do not, there are two definitions.
# </details>
#
# ## Take-away
#
# **Every row of history has two times: when it happened and when you knew. Features go by the second, in training as in
# serving, and a test that changes the future says whether they do.**
#
# ## Go further
#
# - Card: [Feast](../cards/feast.md)
# - Feast 0.67 documentation: *Point-in-time joins* and *Feature view*; the file store's lost rows are its issue 6787
# - S. Kaufman et al., *Leakage in Data Mining: Formulation, Detection, and Avoidance*, ACM TKDD 6 (4), 2012
# - M. Zinkevich, *Rules of Machine Learning*, Google: rules 29 to 37 are on training/serving skew
# - The reference: `oakbank.pipelines.history` and `oakbank.pipelines.online`
# - The lab `02-point-in-time-features` builds the join, the leak detector and the online view; the tour of Tecton shows a managed store
# - In the glossary: [feature store](../../../GLOSSARY.md#feature-store), [point-in-time join](../../../GLOSSARY.md#point-in-time-join), [online store](../../../GLOSSARY.md#online-store), [training/serving skew](../../../GLOSSARY.md#trainingserving-skew)
