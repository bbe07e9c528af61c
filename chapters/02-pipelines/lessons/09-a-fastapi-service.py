# %% [markdown]
# # 09 A FastAPI service
#
# ## You will
#
# - say what a service promises, and show what a bare function behind a socket does instead
# - make a request model from the bank's schema that refuses what it does not understand
# - answer a bad request so that its sender can mend it, and without repeating what was sent
# - tell alive from ready, and open a service's own documentation without a network
# - find holes in a service with requests that nobody thought of, and change its contract without breaking its users
#
# ## You need
#
# Lesson 02/01, pandas, and a rough idea of HTTP: a method, a path, a body, a status.
#
# ## Time
#
# 52 minutes to read, 10 seconds to run.
#
# ## The story so far
#
# The pipeline trains a model every night and keeps it in a registry. Now the team that writes the bank's web page wants
# to ask it, one applicant at a time, from another language, on another machine.

# %% [markdown]
# ## A function behind a socket
#
# First a model, quickly: one month, and the simulator's truth in place of outcomes, which no bank has. And an
# application as a client would send it, as JSON.

# %%
import json

from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, World

world = World(seed=4, scenario="calm")
past = world.applications(-1)
model = CreditModel.fit(feature_matrix(past), world.truth(-1)["would_default"], rounds=60)
month = world.applications(0)
rows = json.loads(month[list(FEATURES)].to_json(orient="records", double_precision=15))
ann = rows[0]
ann

# %% [markdown]
# The least that could answer her: read the JSON, make a frame, predict.

# %%
import pandas as pd


def answer(body):
    return float(model.predict(pd.DataFrame([json.loads(body)]))[0])


answer(json.dumps(ann))

# %% [markdown]
# Clients make mistakes. Here are eight letters, the first as it should be; one sends income per year, one sends it as
# text, one has lost a field, and so on. **Before you run the cell, write down which get a score, and which an error.**

# %%
letters = {
    "as it should be": ann,
    "income per year": ann | {"income": ann["income"] * 12},
    "income as text": ann | {"income": str(ann["income"])},
    "income is NaN": ann | {"income": float("nan")},
    "a typing error": {("incmoe" if name == "income" else name): value for name, value in ann.items()},
    "no bureau score": {name: value for name, value in ann.items() if name != "bureau_score"},
    "channel Broker": ann | {"channel": "Broker"},
    "a late payment: true": ann | {"delinquencies": True},
}
pd.Series({name: answer(json.dumps(letter)) for name, letter in letters.items()}).round(3)

# %% [markdown]
# All of them. Nobody saw an error, and five of the seven wrong letters moved her risk, one of them to more than twice of what it is.
# `feature_matrix` fills what is missing, and says in its docstring that whether this is acceptable is for somebody else
# to judge. That somebody is the service, and so far it does not exist. A stack trace would have been kinder: it is
# loud, and nobody grants a loan on it.
#
# ## Say what you take
#
# The bank's schema has the range, the unit and the categories of each column. Ten lines hold a letter to it:


# %%
def faults(letter):
    told = set(letter) - set(FEATURES)
    for column in COLUMNS:
        value = letter.get(column.name)
        if column.name in CATEGORIES:
            fits = value in CATEGORIES[column.name]
        else:
            fits = type(value) in (int, float) and column.low <= value <= (column.high or value)
        if column.name in FEATURES and not fits:
            told.add(column.name)
    return told


pd.Series({name: sorted(faults(letter)) for name, letter in letters.items()})

# %% [markdown]
# That would do, and it is nobody's standard. Pydantic says the same with types, and from types it can also make
# messages and a schema that other tools read. The types come from the bank's schema too, so that there is no second
# list of ranges to go stale:

# %%
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, create_model


def kind(column):
    if column.name in CATEGORIES:
        return Literal[CATEGORIES[column.name]]
    number = float if column.dtype == "float64" else int
    return Annotated[number, Field(ge=column.low, le=column.high, description=column.unit)]


# %%
fields = {column.name: (kind(column), ...) for column in COLUMNS if column.name in FEATURES}
Lax = create_model("Lax", **fields)
strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
Application = create_model("Application", __config__=strict, **fields)


# %%
def problem(shape, letter):
    try:
        shape.model_validate_json(json.dumps(letter))
    except ValidationError as error:
        return error.errors()[0]["msg"]
    return ""


# %%
table = {shape.__name__: [problem(shape, letter) for letter in letters.values()] for shape in (Lax, Application)}
pd.DataFrame(table, index=list(letters))

# %% [markdown]
# An empty cell is a yes, and two wrong letters have one under `Lax`. By default pydantic is helpful: it turns `"3130.0"` into a number and
# `true` into 1, a late payment that nobody had. For a web form that is right. Between machines, a number that arrives
# as text means that something is wrong on the other side, and you want to hear of it today. So: **strict**, no extra
# fields, no NaN. And our ten lines agree with the tool, letter by letter:

# %%
verdicts = {name: (problem(Application, letter) == "", not faults(letter)) for name, letter in letters.items()}
assert all(tool == by_hand for tool, by_hand in verdicts.values())
verdicts

# %% [markdown]
# ## A service in a handful of lines
#
# FastAPI puts a function at a path. The type of its argument is the request's contract, the type that it returns is the
# answer's. A router holds such functions, an app serves them, and `TestClient` sends requests to the app without a
# port, in this process.

# %%
import warnings

from fastapi import APIRouter, FastAPI

warnings.filterwarnings("ignore", message="Using `httpx`")  # the test client asks for the successor of httpx
from fastapi.testclient import TestClient

# %%
router = APIRouter()


@router.post("/score")
def score(application: Application) -> float:
    return float(model.predict(pd.DataFrame([application.model_dump()]))[0])


# %%
@router.post("/score/batch")
def score_batch(applications: list[Application]) -> dict[str, float | list[float]]:
    risks = model.predict(pd.DataFrame([one.model_dump() for one in applications])).tolist()
    return {"risks": risks, "mean": sum(risks) / len(risks)}


# %%
def send(client, letter):
    return client.post("/score", content=json.dumps(letter), headers={"content-type": "application/json"})


first = FastAPI()
first.include_router(router)
client = TestClient(first, raise_server_exceptions=False)
for name in ("as it should be", "income per year", "income is NaN"):
    got = send(client, letters[name])
    print(got.status_code, got.text, "\n")

# %% [markdown]
# Three answers, three lessons. The first is a score. The second is **422**: the request could be read and breaks the
# contract. Look at its last key, `input`: FastAPI sends back what it was sent. Somebody will log that answer, and then
# the income of a customer stands in a log that nobody guards.
#
# The third is the best. NaN was refused as it should be, and the refusal wanted to quote the NaN, which JSON cannot
# carry; so the *error* fell over. **500** says that the service is broken, wakes somebody up, and makes clients
# try again. It was the client's fault, and the service took the blame.
#
# ## Errors are half of the promise
#
# A caller can mend what it is told: which field, what is wrong with it, what would have been taken. `wanted` is the
# reference's sentence for a column, made from the same schema once more. For the form of the answer there is a standard,
# RFC 9457: *problem details*, with the status in words and as a number, a sentence for people, and whatever a service
# likes to add; here a list of `errors`. A client that knows one service's errors can then read those of all.

# %%
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from oakbank.pipelines.contract import wanted

WANTED = {column.name: wanted(column) for column in COLUMNS if column.name in FEATURES}
WANTED["income"]


# %%
def invalid(request, error):
    told = []
    for fault in error.errors():
        where = [str(part) for part in fault["loc"][1:]] or ["body"]
        hint = WANTED.get(where[-1], "JSON with the fields " + ", ".join(FEATURES))
        told.append({"field": ".".join(where), "problem": fault["msg"], "wanted": hint})
    body = {"title": "Unprocessable Content", "status": 422, "errors": told}
    body["detail"] = "the request breaks the contract"
    return JSONResponse(body, status_code=422, media_type="application/problem+json")


# %%
app = FastAPI(exception_handlers={RequestValidationError: invalid})
app.include_router(router)
client = TestClient(app, raise_server_exceptions=False)
for name in ("income per year", "income is NaN", "a typing error"):
    got = send(client, letters[name])
    print(got.status_code, json.dumps(got.json()["errors"], indent=1), "\n")

# %% [markdown]
# Whoever reads this at the other end need not ask you anything. The status says *whose turn it is*: 4xx is yours, 5xx
# is ours. Keep that line clean, for retries, alarms and invoices hang on it.
#
# ## Alive, and ready
#
# A process that has started is not a service that can answer: the model may still be loading, or there is none.
# Whoever watches the process asks two different questions, and does two different things with a no.
#
# ```mermaid
# flowchart LR
#     S[process starts] --> H[alive, not ready]
#     H -- model loaded --> R[alive and ready]
#     R -- model lost --> H
#     H -. "/healthz fails" .-> K[restart it]
#     R -. "/healthz fails" .-> K
# ```
#
# In words: `/healthz` asks whether the process answers at all; no means *restart it*. `/readyz` asks whether to send
# customers; no means *wait*, and a restart would only make it start waiting again. (The z is Kubernetes' spelling: no page
# of yours will ever want that path.) The reference has both, and they are those of the container in lesson 01/07: every
# service of this course keeps one protocol, `oakbank.intro.protocol`. Here it is without a model:

# %%
from oakbank.pipelines.service import create_app

waiting = TestClient(create_app(None))
for path in ("/healthz", "/readyz"):
    print(path, waiting.get(path).status_code, waiting.get(path).json())
refused = waiting.post("/score", json=ann)
print("/score", refused.status_code, refused.json()["detail"])

# %% [markdown]
# 503, not 500 and not 422: nothing is wrong with the letter and nothing is broken; come back later. A service that
# says ready before it has its model gives the same 503 to real customers instead.
#
# ## The page that writes itself
#
# From the types FastAPI makes an OpenAPI schema, and from the schema a page to read and try things on. For once we want
# a real server: uvicorn speaks HTTP on a port and hands each request to the app. Port 0 is any that is free.

# %%
import threading
import time

import httpx
import uvicorn

server = uvicorn.Server(uvicorn.Config(create_app(model, version="7"), port=0, log_level="warning"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.01)

# %%
base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
httpx.post(f"{base}/score", json=ann).json()

# %%
schema = httpx.get(f"{base}/openapi.json").json()
print("income:", schema["components"]["schemas"]["Application"]["properties"]["income"])
for status, told in schema["paths"]["/score"]["post"]["responses"].items():
    print(status, told["description"])

# %% [markdown]
# The schema is the promise in writing, errors included. Other teams make their clients from it, so a status that
# happens and does not stand here is a promise broken. Now the page, and a look at where its parts come from:

# %%
import re


def parts(page):
    return re.findall(r'(?:src|href)="([^"]+)"', page)


# %%
print("plain FastAPI:", *parts(client.get("/docs").text), sep="\n  ")
page = httpx.get(f"{base}/docs").text
print("ours:", *parts(page), sep="\n  ")
print("served here:", {httpx.get(base + part).status_code for part in parts(page)})

# %% [markdown]
# FastAPI's own page is a few lines that load a megabyte of script from a content network: blank in a bank's cellar, and
# a stranger's code on your page elsewhere. `fastapi-offline` brings the same files with the package. While the server
# runs: does a score survive the way through JSON, a socket and back, to the last bit?

# %%
over_http = httpx.post(f"{base}/score/batch", json=rows[:1000], timeout=30).json()["scores"]
batch = model.predict(month.head(1000))
print("equal:", [one["default_probability"] for one in over_http] == batch.tolist())
server.should_exit = True
thread.join()

# %% [markdown]
# One model, one feature code: the nightly batch and the service give the same thousand numbers, bit by bit. A service
# that computes its features by itself begins to differ on the day of its first bug fix.
#
# ## Tests, and requests that nobody thought of
#
# Back to our own small app. First the tests that everybody writes: an example that is right, a few that are wrong.

# %%
assert client.post("/score", json=ann).status_code == 200
assert client.post("/score/batch", json=rows[:5]).status_code == 200
for name in ("income per year", "income as text", "no bureau score", "channel Broker", "a late payment: true"):
    assert client.post("/score", json=letters[name]).status_code == 422, name
print("all pass")

# %% [markdown]
# All pass, and the app still breaks its promise. **Look at it once more and try to find out how, before you go on.** Examples test
# what you had in mind when you wrote the code, which is why the code passes them. Let chance write the letters
# instead: any values that the contract allows, any number of them.

# %%
import random

draw = random.Random(1)


def value(column):
    if column.name in CATEGORIES:
        return draw.choice(CATEGORIES[column.name])
    return draw.randint(int(column.low), int(column.high))


# %%
def letter():
    return {column.name: value(column) for column in COLUMNS if column.name in FEATURES}


statuses = {size: client.post("/score/batch", json=[letter() for _ in range(size)]).status_code for size in range(6)}
statuses

# %% [markdown]
# A batch of none. The type `list[Application]` allows it, and then the mean divides by zero: 500. No attack, just a
# night on which nobody applied. Schemathesis does this in earnest. It reads the OpenAPI schema, has Hypothesis draw
# requests from it, right ones and wrong ones, and holds every answer to what the schema says. The reference wraps it in
# one function:

# %%
from course.lesson import show_source
from oakbank.pipelines.promise import hold_to_schema

show_source(hold_to_schema)


# %%
from schemathesis.core.failures import FailureGroup


def broken_promises(app):
    try:
        return dict(hold_to_schema(app, examples=20))
    except FailureGroup as broken:
        return {f"{one.operation}: {one.title}": one.message.split("Schema at")[0] for one in broken.exceptions}


# %%
for promise, what in broken_promises(app).items():
    print(promise, what, sep="\n", end="\n\n")

# %% [markdown]
# Two more, which we did not plant, and it had not even come to the batches. *Undocumented Content-Type*: our errors no
# longer are what the schema says, for FastAPI announced its own. Whoever made a client from the schema would fail on them.
#
# The other is finer. JSON has one kind of number: for JSON Schema, `36.0` *is* an integer, and that is what a client
# sends whose column once had a gap in it. Our strict `int` refuses it:

# %%
send(client, ann | {"term": 36.0}).json()

# %% [markdown]
# The reference had the same fault until this very test was first run on it. So three ends to mend: take a whole number however it is written, say what a
# refusal looks like, and say that a batch has at least one application.

# %%
from fastapi import Body
from pydantic import BaseModel, BeforeValidator


def whole(number):
    return int(number) if isinstance(number, float) and number.is_integer() else number


# %%
whole_fields = {
    name: (Annotated[shape, BeforeValidator(whole)] if shape.__origin__ is int else shape, ...)
    for name, (shape, _) in fields.items()
}
Application = create_model("Application", __config__=strict, **whole_fields)


# %%
class Refused(BaseModel):
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]]


refusal = {"application/problem+json": {"schema": Refused.model_json_schema()}}
second = FastAPI(
    responses={400: {"description": "no JSON"}, 422: {"description": "refused", "content": refusal}},
    exception_handlers={RequestValidationError: invalid},
)


# %%
@second.post("/score/batch")
def score_some(applications: Annotated[list[Application], Body(min_length=1)]) -> dict[str, float]:
    risks = model.predict(pd.DataFrame([one.model_dump() for one in applications]))
    return {"mean": float(risks.mean())}


# %%
print(broken_promises(second))

# %% [markdown]
# Right requests and wrong ones, and each got a score or a clear no. What was a hole is a line of the schema now. And the
# reference, with all of its routes (400 is for a body that is no text at all):

# %%
print(broken_promises(create_app(model, version="7")))

# %% [markdown]
# ## Change it, break nobody
#
# A promise that others build on cannot be edited like code: the clients change later than you, or never. Three changes
# are on the table: rename `income` to `monthly_income`, ask for a new field `dependants`, or offer it. Keep yesterday's
# requests, and ask each new contract whether it would still take them. **Which one passes?**

# %%
number = Annotated[int, Field(ge=0, le=20)]
renamed = {("monthly_income" if name == "income" else name): field for name, field in whole_fields.items()}
contracts = {
    "renamed field": renamed,
    "new field, required": whole_fields | {"dependants": (number, ...)},
    "new field, optional": whole_fields | {"dependants": (number | None, None)},
}

# %%
recorded = rows[:200]
for name, new in contracts.items():
    shape = create_model("New", __config__=strict, **new)
    print(f"{name:20} breaks {sum(problem(shape, old) != '' for old in recorded)} of {len(recorded)} recorded requests")

# %% [markdown]
# A request may come to mean more, never to need more. For answers it is the other way round: you may add a key, and
# never take one away or let it hold a new kind of value. What must break gets a new path, `/v2/score`, beside the old
# one, until the log shows nobody on the old one. The replay costs three lines and belongs in the tests of every service.
#
# ## How the reference does it
#
# The same few ideas, and no more than one page of code: the contract lives in `contract.py`, and the service is
# `service.py`. Scoring one is scoring a batch of one:

# %%
from oakbank.pipelines import contract, service

show_source(contract.score, service.create_app)

# %% [markdown]
# ## What this does not prove
#
# Generated requests hold an app to its schema; that the schema is what the business wants, they cannot know. Twenty
# requests a kind are a glance, and a hole that needs two values to meet may take thousands. One process answered one
# client here: nothing was said about load (lesson 05/06), about who may ask (05/05), or about how the service gets a
# newer model while it runs (03/01). And income per year of 20,000 EUR is inside the range per month: a contract for one
# row lets that pass, and only the months side by side can tell (lesson 02/03).
#
# ## Check yourself
#
# <details><summary>A client sends NaN and gets 500. Why does the status matter, when it is refused either way?</summary>
#
# 500 says that the fault is yours and that trying again may help: the client repeats it, your alarm goes off, and
# nobody looks at the client. 422 with the field's name ends it.
# </details>
#
# <details><summary>The model's file is missing. What do /healthz, /readyz and /score answer?</summary>
#
# 200, 503 and 503. The process is fine, so a restart would not help; it must get no traffic; and whoever asks all the
# same is told what is missing.
# </details>
#
# <details><summary>Why refuse a field that you do not know? You could ignore it.</summary>
#
# It may be a typing error in a field that you do know, and then the right value is missing; or something that the
# model must not see, such as a protected group. Ignored, neither is ever noticed.
# </details>
#
# <details><summary>You want to return the risk in per cent instead of a share. Is that a small change?</summary>
#
# It keeps name and type, so every client still runs, and every one of them is wrong. Add a new key beside the old one.
# </details>
#
# ## Take-away
#
# **A service is a promise about inputs, outputs and errors that others build on. Write it down once, have requests made
# from it, and let a refusal say what would have been taken.**
#
# ## Go further
#
# - Card: [FastAPI and uvicorn](../cards/fastapi.md)
# - FastAPI 0.165 documentation: *Request Body*, *Handling Errors*; pydantic 2.14: *Strict Mode*
# - OpenAPI Specification 3.1; JSON Schema 2020-12, section 6.1.1 on what an integer is; RFC 9110, section 15, on statuses;
#   RFC 9457, *Problem Details for HTTP APIs*
# - Schemathesis 4.32 documentation: *Checks*; it also runs from the command line against any service with a schema
# - The reference: `oakbank.pipelines.contract`, `oakbank.pipelines.service`, `oakbank.pipelines.promise`
# - The lab `02-scoring-service` builds such a service, and holds it to its contract with requests that you do not see
# - In the glossary: [data contract](../../../GLOSSARY.md#data-contract), [liveness probe](../../../GLOSSARY.md#liveness-probe), [readiness probe](../../../GLOSSARY.md#readiness-probe)
