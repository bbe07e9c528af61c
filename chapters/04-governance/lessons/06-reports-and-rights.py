# %% [markdown]
# # 06 Reports and rights
#
# ## You will
#
# - write a model card from records with jinja2, so that a missing record cannot pass unseen
# - read a generated model card and technical file: what is red, and what changes with the day
# - answer an access request from records, and find where data of a person survive a deletion
# - prove an erasure by a training that gives the same bytes, and name what may stay
#
# ## You need
#
# Lessons 03/07, 04/02 and 04/05.
#
# ## Time
#
# 27 minutes to read, 60 seconds to run.
#
# ## The story so far
#
# Oakbank has a file of duties (lesson 05), and the records of the lessons before. On one day, two letters arrive: a
# supervisor wants to know which model decided in April 2024. A customer wants to know what the bank holds about them,
# and then to be erased. **Nothing here is legal advice; it is as of 30 November 2026.**

# %% [markdown]
# ## A bank, and one person
#
# This bank is small, but it keeps people's data in many places, as real ones do. Month 0 is January 2024. C. Risk
# approves each model:

# %%
from course.lesson import own_folder
from oakbank.governance import rights
from oakbank.world import World, load_scenario

own_folder()


class Bank(rights.Bank):
    def learn(self, as_of):
        version = super().learn(as_of)
        self.audit.append("promote", "C. Risk", when=as_of, version=version)
        return version


# %%
calm = load_scenario("calm").model_copy(update={"applications_per_month": 600})
world, bank = World(5, calm), Bank("bank")
bank.open(world, months=4)

# %% [markdown]
# A data scientist has logged each model to MLflow, with a table of the loans on which it was most wrong. First in the
# newest table stands the customer who writes to us:

# %%
import mlflow

client = mlflow.MlflowClient(tracking_uri=bank.registry.tracking_uri)
notebook = client.get_experiment_by_name("notebook").experiment_id
(run,) = client.search_runs([notebook], "tags.version = '2'")
x = int(run.data.tags["worst"])
number = bank.customers.owners()[x]
print("application", x, "of", bank.customers.get(number).name)

# %% [markdown]
# ## A model card in ten lines
#
# A **model card** tells briefly what a model is for, how good it is, and for whom it works worse. Typed by hand, a card
# is wrong after the next training. So a template has the words, records have the numbers, and jinja2 joins them.
# Our template asks for a limit, and nobody has recorded one. **Guess before you run:** what does the card say of it?

# %%
from jinja2 import Environment

card = """<h3>{{ model.name }}, version {{ model.version }}</h3>
<p>Approved by {{ approver }}. AUC {{ "%.3f" | format(auc) }}.
It may be used for loans up to {{ limit }} EUR.</p>"""
model = client.get_model_version_by_alias("oakbank-credit", "champion")
measured = client.get_run(model.run_id).data.metrics
approver = [e.actor for e in bank.audit if e.kind == "promote"][-1]
facts = {"model": model, "approver": approver, "auc": measured["auc"]}
by_hand = Environment(autoescape=True).from_string(card).render(facts)
assert "up to  EUR" in by_hand
print(by_hand)

# %% [markdown]
# Nothing: to jinja2 an unknown name is an empty text, and the card looks complete. With `StrictUndefined` it is an
# error:

# %%
import pytest
from jinja2 import StrictUndefined, UndefinedError

strict = Environment(undefined=StrictUndefined, autoescape=True)
with pytest.raises(UndefinedError, match="'limit' is undefined"):
    strict.from_string(card).render(facts)

# %% [markdown]
# ## The generated report, as of two days
#
# Oakbank's `report` fills such templates from MLflow, lineage, lake and audit log. What no record says is red; the rest
# of the page is still written. Beside the card it writes the **technical file**, which the EU AI Act asks for from
# December 2027 (article 11): nine parts, in the order of Annex IV. The supervisor gets both as HTML and as PDF:

# %%
from datetime import date
from pathlib import Path

from oakbank.governance.reports import report

april, today = date(2024, 4, 30), date(2026, 11, 30)
then, now = report("bank", april, "then"), report("bank", today, "now")
pages = [Path(day, "model-card.html").read_text("utf-8") for day in ("then", "now")]
assert [f"{measured['auc']:.3f}" in page for page in pages] == [False, True]
assert [model.tags["model_hash"] in page for page in pages] == [False, True]
print(*(path.name for path in now.paths), now.card.summary, sep="\n")

# %% [markdown]
# Today's card and our ten lines name the same AUC. Scroll through April's card (another AUC), and look for red parts:

# %%
from html import escape

from IPython.display import HTML, Markdown

HTML(f'<p><iframe srcdoc="{escape(pages[0])}" width="100%" height="420"></iframe>')

# %% [markdown]
# The red lines at the end are real findings: nobody has checked signatures (lesson 01), no gates are on record, and
# nobody keeps a head of the log. Now compare the days:

# %%
for made in (then, now):
    version = dict(made.card.sections[0].blocks[0].rows)["version"]
    red = [part.title.split(".")[0] for part in made.file.sections if part.gaps]
    print(made.card.as_of, "version", version, "red parts:", *red)
    assert {"5", "7", "8"} <= set(red)
again = report("bank", april, "again")
assert [p.read_bytes() for p in then.paths] == [p.read_bytes() for p in again.paths]
assert then.card.sections[-1].gaps == 3

# %% [markdown]
# In April another model decided. Made again, April's report is the same bytes: it reads no clock, and nothing dated
# later. Parts 5, 7 and 8 (risk management, standards, declaration of conformity) stay red until people write them; the
# other red parts lack some record or document. (Generators on the web have six, seven or eight parts. Count in the
# law.)
#
# ## What does the bank hold about me?
#
# An **access request** (GDPR, article 15) must be answered from records, not from memory. Which values identify a
# person? Number and e-mail address, but also values that nobody else has. `identifying` collects them, and `search`
# looks for them in all files, also inside archives and databases:

# %%
answer = rights.access(bank, number, as_of=4)
values = rights.identifying(bank, number)
found = {f.path.split("/")[0] for f in rights.search("bank", values)}
assert len(found) == 11
print(*sorted(found))
Markdown(answer.markdown())

# %% [markdown]
# The first line is what the search found, in 11 places; the search knows nothing of the stores. The rest is the answer:
# `access` asked each store by name. Two independent ways are better than one: a copy that a colleague has made shows in
# the search only.
#
# ## DELETE, and what is left
#
# The analysts' table is a Delta table. We take a copy, and delete the customer's row as SQL does. The search finds two
# of their values in the folder. **Guess:** how many after the deletion, and how many after `vacuum`, which removes old
# versions?

# %%
import shutil

from deltalake import DeltaTable

shutil.copytree("bank/delta/decisions", "copy")
left = [len(rights.search("copy", values))]
table = DeltaTable("copy")
assert table.delete(f"application_id = {x}")["num_deleted_rows"] == 1
left.append(len(rights.search("copy", values)))
table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
rest = rights.search("copy", values)
assert [*left, len(rest)] == [2, 3, 1]
assert (rest[0].value, "_delta_log" in rest[0].path) == (str(x), True)
rest[0].path, rest[0].value

# %% [markdown]
# After the deletion there are *more*, 3 instead of 2: the old version still has the row, and the log of the table has
# noted the deletion, with its condition. `vacuum` removes the old version. What stays is this condition: it says whom
# you deleted.
#
# MLflow has the customer in two places, a tag and the table of the worst loans. Delete the run:

# %%
assert len(rights.search("bank/registry", values)) == 2
client.delete_run(run.info.run_id)
assert len(rights.search("bank/registry", values)) == 2
client.restore_run(run.info.run_id)

# %% [markdown]
# Still two: `delete_run` only sets a mark, and `restore_run` takes it away. The command `mlflow gc` deletes marked runs
# for good, each as a whole, not a row of its table. We go on without `gc`.
#
# ## Erasure, with a receipt
#
# Oakbank's `erase` takes the customer's rows out of each store and keeps those of others. It trains again without the
# customer, searches every file for the values, and only then gives a receipt:

# %%
receipt = rights.erase(bank, number, request="E-1", as_of=4)
rest = {f.path.split("/")[0] for f in rights.search("bank", values)}
assert rest == {"customers.db", "backups"}
Markdown(receipt.markdown())

# %% [markdown]
# Erasure has limits (article 17(3)). This customer got a loan, so the bank must keep the contract's file for years;
# backups hold it, too. The log keeps a *commitment*: lesson 01's salted hash, without its salt. The receipt names what
# stays, and why.
#
# ## The proof
#
# Did the new model forget? Nobody can see that in a file of trees. But the pipeline is reproducible (lesson 02/10), so
# there is a proof. Take a world in which this customer never applied, and train there. **Guess:** how close are the two
# models?

# %%
from oakbank.governance.tracked import TrackedBank
from oakbank.world import publish_history, publish_month, publish_outcomes

others = rights.Without(world, frozenset(bank.customers.applications(number)))
never = TrackedBank("never")
publish_history(others, never.lake)
first = never.train(0).version
for month in range(4):
    publish_month(others, never.lake, month)
    never.decide(month, first)
    publish_outcomes(others, never.lake, month)
proof = never.train(4).model().digest
assert proof == receipt.model.hash_after != receipt.model.hash_before
print(receipt.model.hash_before[:16], receipt.model.hash_after[:16], proof[:16])

# %% [markdown]
# They are the same bytes. **The model after the erasure is the one that the customer never touched.** Without this
# loan the bytes differ from before, so it cannot have stayed. No measure of similarity is needed, nor trust in `erase`:
# an auditor searches the lake, trains from it, and compares two hashes.
#
# ## Your turn
#
# `other` asks to be erased, too, and never got a loan. Before you run anything, guess two things: what stays, and does
# the model change? Erase `other` as request `E-2`, and put the receipt into `second`.

# %%
declined = bank.lake.read("decisions", [1]).query("not granted")["application_id"]
owners = map(bank.customers.owners().get, declined)
other = next(n for n in owners if len(bank.customers.applications(n)) == 1)
# your code here

# %%
second = globals().get("second")
same = second is not None and second.model.hash_before == second.model.hash_after
print("right" if same else "not yet: `rights.erase` returns the receipt")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# second = rights.erase(bank, other, request="E-2", as_of=4)
# ```
#
# Nothing stays but the commitment in the log, and the earlier models. The model is the same: only loans have outcomes,
# so this person was never in the data that it learned from.
#
# </details>
#
# ## What this does not prove
#
# That a report has no gaps does not mean that its sentences are right: the purpose of the model is written by people.
# The proof covers the model and the data that it learned from. It does not cover what an older model decided about
# others while it knew the customer, nor a copy outside of the bank's folder; and it needs a pipeline that gives the
# same bytes. Whether a model holds personal data is judged case by case (EDPB, opinion 28/2024). `search` finds exact
# values, and nothing that was rounded or encrypted. Nobody looks at what a disk keeps of deleted files.
#
# ## Check yourself
#
# <details><summary>A model card has no red part. What may you conclude, and what not?</summary>
#
# Each fact that it asks for was recorded. Not that the records are complete, nor that the model is good: a verdict such
# as "not enough data" is for people to judge.
# </details>
#
# <details><summary>A colleague has run DELETE and vacuum on a Delta table. Name a place in the table's folder that may still name the person.</summary>
#
# The log in `_delta_log`: it keeps the condition of the deletion. Delete by a condition that names nobody, or write the
# table anew.
# </details>
#
# <details><summary>After an erasure the AUC is equal to three digits. Why is this no proof, and what is one?</summary>
#
# One row less may not show in three digits. A proof: a training in a world without the person gives the same bytes, and
# the model before had other bytes.
# </details>
#
# <details><summary>A customer with a running loan asks to be erased. What do you answer?</summary>
#
# What was erased, and what stays, with the legal ground and the month in which it goes: the contract's file, which the
# bank must keep. The receipt has these lines.
# </details>
#
# ## Take-away
#
# **A report says what was recorded, and shows in red what was not. An erasure is proved if a training without the
# person gives the same bytes.**
#
# ## Go further
#
# - The reference: `oakbank.governance.reports` and `oakbank.governance.rights`
# - M. Mitchell and others, *Model Cards for Model Reporting*, 2019; T. Gebru and others, *Datasheets for Datasets*, 2021
# - Regulation (EU) 2024/1689, article 11 and Annex IV; Regulation (EU) 2016/679, articles 15 and 17; EDPB, opinion 28/2024
# - jinja2 3.1: *API*, autoescaping and undefined types; fpdf2 2.8; delta-rs 1.6: *vacuum*; MLflow 3.17: `mlflow gc`
# - In the glossary: [access request](../../../GLOSSARY.md#access-request), [erasure request](../../../GLOSSARY.md#erasure-request), [model card](../../../GLOSSARY.md#model-card), [technical file](../../../GLOSSARY.md#technical-file)
