# %% [markdown]
# # 05 Regulation
#
# ## You will
#
# - tell from a file which duties were in force on a day, and what changed between two days
# - write a duty as data, with a source, dates and a test as its evidence
# - say what a report of duties shows, and what a green line does not
# - apply HIPAA's Safe Harbor to a table, and count the people who are still unique
#
# ## You need
#
# Lessons 01/03 and 04/04.
#
# ## Time
#
# 28 minutes to read, 30 seconds to run.
#
# ## The story so far
#
# Oakbank can show who decided what, and why. On 30 November 2026 a supervisor asks about a loan of 31 December 2025:
# which rules did you follow, and where is the evidence? **Nothing in this lesson is legal advice, and all of it is as
# of that November.** Oakbank is imagined to lend in the European Union and in the USA.
#
# ## The law has versions
#
# A rule begins on one day and may end on another, like a version of a library. So the question needs a date. Three
# rules, from scratch:

# %%
from datetime import date, timedelta

law = [
    {"id": "SR 11-7", "from": date(2011, 4, 4), "until": date(2026, 4, 17)},
    {"id": "SR 26-2", "from": date(2026, 4, 17), "until": None},
    {"id": "effects test", "from": date(2011, 12, 30), "until": date(2026, 7, 21)},
]


def valid(duties, day):
    return [d["id"] for d in duties if d["from"] <= day < (d["until"] or date.max)]


loan, today = date(2025, 12, 31), date(2026, 11, 30)
assert valid(law, loan) == ["SR 11-7", "effects test"]
assert valid(law, today) == ["SR 26-2"]
valid(law, loan), valid(law, today)

# %% [markdown]
# Both lists are right, each for its day. SR 11-7 was the Federal Reserve's guidance on **model risk**; SR 26-2
# supersedes it. The *effects test* was part of Regulation B, the US rule of **fair lending**: a neutral criterion could
# be unlawful by its effect alone. (2011 is the year of the CFPB's text; the test is older.) "SR 11-7 requires" is wrong
# today.
#
# `until` is the first day on which the rule no longer applies, so that no day has both.
#
# ## A file that refuses nonsense
#
# A lawyer must be able to read the list, and a colleague to review it: YAML. The third entry has two mistakes that the
# parser does not report. **Can you see them?**

# %%
import yaml

entries = yaml.safe_load("""
- {id: SR 11-7, country: US, begins: 2011-04-04, ends: 2026-04-17}
- {id: SR 26-2, country: US, begins: 2026-04-17}
- {id: lending rules, country: NO, begins: 2026-4-17}
""")
entries[2]

# %% [markdown]
# `NO` (Norway) became `False`: PyYAML reads YAML 1.1, where `no` is a truth value. And `2026-4-17` stayed text: a date
# has two digits for the month. A pydantic model says what a rule is:

# %%
from pydantic import BaseModel, ValidationError


class Rule(BaseModel):
    id: str
    country: str
    begins: date
    ends: date | None = None


rules = [Rule.model_validate(entry) for entry in entries[:2]]
assert [(r.id, r.begins, r.ends) for r in rules] == [tuple(d.values()) for d in law[:2]]

# %% [markdown]
# The model and our list agree on two rules. The third is refused, with both reasons:

# %%
try:
    Rule.model_validate(entries[2])
except ValidationError as error:
    faults = {fault["loc"][0]: fault["msg"] for fault in error.errors()}
assert set(faults) == {"country", "begins"}
faults

# %% [markdown]
# ## Oakbank's duties
#
# `duties.yml` has more fields: who has the duty, whether it is law or guidance (what supervisors recommend), a source,
# the day of the last review, and the evidence. Its fourth entry:

# %%
from oakbank.governance.duties import DUTIES, changes, in_force, read_duties, repository

duties = read_duties()
print(DUTIES.read_text(encoding="utf-8").split("\n- ")[4])

# %% [markdown]
# Now move the date, and read the changes like the diff of a lock file. **Guess first:** how many duties in force on the
# day of the loan have ended by today?

# %%
for day in sorted({day for duty in duties for day in duty.dates() if day > loan}):
    step = changes(duties, day - timedelta(days=1), day)
    print(*(f"{day} - {duty.source}" for duty in step.ended), sep="\n")
    print(*(f"{day} + {duty.source}" for duty in step.began), sep="\n")
year, then = changes(duties, loan, today), in_force(duties, loan)
assert [len(then), len(year.ended), len(year.began)] == [11, 3, 4]

# %% [markdown]
# Three of eleven ended, four others began. What this means for a lender, and what comes next:
#
# - **Model risk**, 17 April 2026: SR 26-2 asks for validation in proportion to what a model is used for. It is most
#   relevant above 30 billion USD of assets; generative AI is out of its scope.
# - **Fair lending**, 21 July 2026: Regulation B forbids a neutral criterion only where it is meant as a proxy. State
#   laws still apply. A declined applicant must still be told the specific reasons.
# - **Consumer credit in the EU**, 20 November 2026: under directive 2023/2225 a consumer may ask for a person to review
#   an automated assessment. A directive binds through national law, so your country's text decides.
# - **EU AI Act**, 2 December 2027: scoring the credit of people is high risk (Annex III). The Act asks for logs,
#   oversight, an impact assessment and explanations. Regulation 2026/1744 moved these duties from 2 August 2026.
# - **GDPR**, since 2018, did not change; the EU's court has said what it means. If a lender draws strongly on a score,
#   the score itself is the automated decision (SCHUFA, 2023), and the person may ask how it came about (C-203/22,
#   2025).
#
# ## A test is the evidence
#
# "We have a policy" is hard to check, "this test passes" is not. So evidence is a pytest id, `file::test`, or a
# document. A file's syntax tree shows whether a test exists, without running it:

# %%
import ast

root = repository()
file = "chapters/04-governance/tests/test_governance_audit.py"
tree = ast.parse((root / file).read_text(encoding="utf-8"))
ours = {x.name for x in tree.body if getattr(x, "name", "").startswith("test")}

# %% [markdown]
# pytest must know the same tests:

# %%
import subprocess
import sys


def pytest(*arguments):
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


screen = pytest("--collect-only", file).stdout.splitlines()
listed = [line.split("::")[1] for line in screen if "::" in line]
assert ours == {name.partition("[")[0] for name in listed}

# %% [markdown]
# pytest's exit code is 0 for a test that passed, 4 for a name that no test has:

# %%
ids = [f"{file}::test_a_cut_end_needs_an_anchor", f"{file}::test_a_cut_end"]
codes = [pytest(name).returncode for name in ids]
assert codes == [0, 4]

# %% [markdown]
# Oakbank's `lacking` looks up tests in syntax trees and documents on disk, and runs nothing. The report is a page with
# the day on top; **red lines lack evidence**. Before you run it, guess which:

# %%
from IPython.display import HTML

from oakbank.governance.duties import lacking, report

red = {d.id for d in in_force(duties, today) if lacking(d, root)}
assert {"us-age", "eu-impact"} <= red
HTML(report(duties, today, root))

# %% [markdown]
# `us-age` is a real finding. A statistically sound score may use age, but never against an elderly applicant (12 CFR
# 1002.6(b)(2)). Oakbank's model reads the age, and no test looks at the effect. `eu-impact` names a document that
# nobody wrote.
#
# The file itself grows old too. `passed` names the duties with a date between their last review and today. A learner's
# test run only warns: no clone breaks because a year went by. The maintainers' weekly run fails: somebody has to read
# the law again.

# %%
from oakbank.governance.duties import passed

assert passed(duties, today) == ()
[duty.id for duty in passed(duties, date(2027, 12, 2))]

# %% [markdown]
# ## A contrast: HIPAA
#
# HIPAA is the US law on health data. **It does not apply to a lender**: it binds health plans, clearinghouses, health
# care providers and those who work for them. But it has a recipe, which the rules above lack. *Safe Harbor* (45 CFR
# 164.514(b)(2)) lists 18 kinds of identifiers. Who takes them out, and knows no way to identify anybody by the rest,
# has a de-identified table. (The other way is an expert's determination.) An invented health plan:

# %%
import numpy as np
import pandas as pd

rng, n = np.random.default_rng(5), 5000
zips = [*range(3600, 3620), *range(10300, 11000, 5)]
members = pd.DataFrame({"name": [f"Member {i}" for i in range(n)]})
members["zip"] = [f"{code:05}" for code in rng.choice(zips, n)]
members["born"] = np.datetime64("1928-01-01") + rng.integers(0, 36000, n)
members["admitted"] = np.datetime64("2021-01-01") + rng.integers(0, 2000, n)
members["sex"] = rng.choice(["f", "m"], n)
members["diagnosis"] = rng.zipf(1.6, n).clip(max=40)

# %% [markdown]
# Three of the 18 kinds are in it. Names go. Of places smaller than a state, three digits of the ZIP code stay, or 000
# where 20,000 people or fewer live (here 036). Of dates the year stays, but for people older than 89 only "90+".


# %%
def safe_harbor(table, small):
    kept = table.drop(columns="name")
    area = table["zip"].str[:3]
    kept["zip"] = area.where(~area.isin(small), "000")
    below_90 = table["born"] > pd.Timestamp(today) - pd.DateOffset(years=90)
    kept["born"] = table["born"].dt.year.astype(str).where(below_90, "90+")
    return kept.assign(admitted=table["admitted"].dt.year)


released = safe_harbor(members, small=["036"])

# %% [markdown]
# If nobody else has your combination of values, anybody who knows these values finds you. **How many of the 5,000 are
# unique** by ZIP code, birth and sex, before and after? And by all columns that are left?


# %%
def alone(table, columns):
    return int((~table.duplicated(columns, keep=False)).sum())


who = ["zip", "born", "sex"]
counts = [alone(members, who), alone(released, who), alone(released, None)]
assert counts == [4996, 202, 4229]
counts

# %% [markdown]
# By ZIP code, birth and sex, 202 people are still unique: fewer, not none. With the year of admission and the diagnosis
# it is 4229 of 5,000, and neither is among the 18 kinds. The recipe looks at columns one by one; people are identified
# by combinations. Our table is small and drawn by chance; in a larger one a smaller share is alone.
#
# ## Your turn
#
# By Regulation B a lender also keeps the records of an application for 25 months: 12 CFR 1002.12(b), in force since 30
# December 2011. Write this duty as one entry of `duties.yml`, with the id `us-records`. As evidence, name the test of
# the audit log which shows that no acknowledged entry is lost. `ours` above has the names, `file` the path.

# %%
mine = """
"""  # your code here

# %%
from oakbank.governance.duties import Duty

try:
    duty = Duty.model_validate((yaml.safe_load(mine) or [{}])[0])
    known = (duty.id, duty.in_force_from) == ("us-records", date(2011, 12, 30))
    shown = any("lost" in item for item in duty.evidence) and not lacking(duty, root)
    print("right" if known and shown else f"not yet: {known = }, {shown = }")
except (ValidationError, yaml.YAMLError) as error:
    print("not yet:", error)

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# test = "test_killed_while_appending_nothing_acknowledged_is_lost"
# mine = f"""
# - id: us-records
#   duty: Keep the records of an application for 25 months.
#   jurisdiction: US
#   kind: law
#   source: 12 CFR 1002.12(b)
#   in_force_from: 2011-12-30
#   who: platform
#   evidence:
#     - {file}::{test}
#   reviewed: 2026-11-30
# """
# ```
#
# </details>
#
# ## What this does not prove
#
# A green line says that a test of that name exists, not that it passes (CI's work) nor that it shows what the duty
# asks: an empty test is green too. Your own entry names a test of a process that was killed; it says nothing about 25
# months. The list is a selection, checked by excerpts and summaries; dates of national laws are not in it.
#
# The file tells what applied on a day, not what was known on it. On 31 December 2025 the AI Act's day was still 2
# August 2026; whoever planned then planned for that. What was known on a day is in git: `git log -p` of the file.
#
# ## Check yourself
#
# <details><summary>A duty has until 2026-07-21 and another begins on that day. Which applies to a loan of that day?</summary>
#
# The second: `until` is the first day on which the first no longer applies.
# </details>
#
# <details><summary>All lines of the report are green. What may the bank tell its supervisor, and what not?</summary>
#
# That for each listed duty a test or document exists, and with CI's run of that commit, that the tests pass. Not that
# the bank meets the law: the list may lack duties, and a test may show less than the duty asks.
# </details>
#
# <details><summary>A colleague removed the 18 identifiers from a table and calls it anonymous. What do you ask for?</summary>
#
# The number of people who are unique by the columns that are left, and whether anybody could know those columns.
# </details>
#
# ## Take-away
#
# **The law has versions: write each duty with its dates, its source and the test that shows it, and print every report
# as of a day.**
#
# ## Go further
#
# - The reference: `oakbank.governance.duties` and its `duties.yml`, where each line has its source
# - Regulation (EU) 2024/1689, consolidated text of 27 July 2026 (with Regulation (EU) 2026/1744, Official Journal of 24 July)
# - Federal Register 2026-07804 (Regulation B); Federal Reserve SR 26-2; directive (EU) 2023/2225, article 18
# - Court of Justice of the EU: C-634/21 (SCHUFA), 7 December 2023; C-203/22 (Dun & Bradstreet Austria), 27 February 2025
# - pydantic 2 documentation: *Models*, *Validators*; pytest 9: *Exit codes*
# - L. Sweeney, *Simple Demographics Often Identify People Uniquely*, 2000: uniqueness by ZIP code, birth and sex
# - In the glossary: [EU AI Act](../../../GLOSSARY.md#eu-ai-act), [GDPR](../../../GLOSSARY.md#gdpr), [HIPAA](../../../GLOSSARY.md#hipaa), [model risk](../../../GLOSSARY.md#model-risk)
