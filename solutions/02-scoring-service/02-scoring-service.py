# %% [markdown]
# # 02 Scoring service
#
# The bank's web page wants to ask the model over HTTP. In this lab you build the service: a contract made from the
# bank's schema, errors that say what to do, scores, probes, and at the end the whole app, which is held to its
# contract by some hundred requests that you do not see.
#
# You need lesson 02/09. About 80 minutes; six exercises, 23 points. `python3 bootstrap.py check 02-scoring-service`
# runs the tests that you see. A grader's tests go further; the first line of each test says where.

# %% locked="setup"
import json
import math
import random
from http import HTTPStatus
from typing import Annotated, Literal

import httpx
import pandas as pd
from anyio.from_thread import start_blocking_portal
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from starlette.exceptions import HTTPException as StarletteHTTPException

from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines.contract import wanted
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, World

WORLD = World(seed=12, scenario="calm")
PAST = WORLD.applications(-1)
MODEL = CreditModel.fit(feature_matrix(PAST), WORLD.truth(-1)["would_default"], rounds=15)
ROWS = json.loads(WORLD.applications(0)[list(FEATURES)].head(60).to_json(orient="records", double_precision=15))
WANTED = {column.name: wanted(column) for column in COLUMNS if column.name in FEATURES}


class Broken:
    """A model with a fault."""

    def predict(self, applications):
        """Fail."""
        raise RuntimeError(f"cannot score an income of {applications['income'].iloc[0]}")


MODELS = {"good": MODEL, "broken": Broken(), "none": None}
BOX = {"model": None, "version": None}


def at(body, *path):
    """Return what stands in a JSON body at a path of keys and positions, or None if there is no such place."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


# %% [markdown]
# The helpers below run what you write and give back plain data. `read(shape, text)` lets a pydantic model read a JSON
# text. `build(add, model)` puts a model of `MODELS` into `BOX`, makes an empty app and lets your function add to it.
# `ask(app, requests)` sends `(method, path, text)`, one after the other, and returns `{"status", "body"}` for each;
# `media_type` sends one and returns the media type of the answer. (The cell's first line is for the grader.)


# %% locked="helpers"
# grader: these run where the answers run
def read(shape, text):
    """Return what a pydantic model reads from a JSON text, or None, and the fields that it refuses."""
    try:
        return shape.model_validate_json(text).model_dump(), []
    except ValidationError as error:
        return None, sorted({str((*fault["loc"], "body")[0]) for fault in error.errors()})


def put(model, version="7"):
    """Put a model into the box, or take it out ("none"), while an app may be running."""
    BOX.update(model=MODELS[model], version=None if model == "none" else version)


def build(add, model):
    """Return an app to which `add(app, BOX)` has added something, with a model of MODELS in the box."""
    put(model)
    app = FastAPI()
    add(app, BOX)
    return app


def whole(make, model):
    """Return the app that `make(BOX)` makes, with a model of MODELS in the box."""
    put(model)
    return make(BOX)


async def exchange(app, requests):
    """Send requests to an app in this event loop, and return its responses."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    json_text = {"content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", follow_redirects=True) as client:
        return [await client.request(method, path, content=text, headers=json_text) for method, path, text in requests]


def ask(app, requests):
    """Send requests to an app, without a port, and return their answers as plain data."""
    answers = []
    with start_blocking_portal() as portal:  # a thread with an event loop: a notebook's own is busy
        responses = portal.call(exchange, app, requests)
    for got in responses:
        try:
            answers.append({"status": got.status_code, "body": got.json()})
        except ValueError:
            answers.append({"status": got.status_code, "body": got.text})
    return answers


def media_type(app, method, path, text=None):
    """Send one request to an app, and return the media type of its answer."""
    with start_blocking_portal() as portal:
        (got,) = portal.call(exchange, app, [(method, path, text)])
    return got.headers.get("content-type", "").split(";")[0]


# %% [markdown]
# ## Exercise 1: the contract
#
# Write `application_model()`: it returns a pydantic model class with one required field for each name in `FEATURES`,
# made from the bank's schema. An entry of `COLUMNS` has `name`, `dtype`, `low` and `high`; `CATEGORIES` maps the name of
# a column with categories to its values. A number is a float if `dtype` is `float64`, else an integer.
# - A value must lie from `low` to `high`, both included; a category must be one of its values, as written there.
# - Text is no number, `true` is no 1, and a field that is not in `FEATURES` is refused.
# - JSON has one kind of number: `36.0` is the integer 36. `36.5` is none.
#
# <details><summary>Hint</summary>
#
# The lesson makes such a class with `create_model`, in two rounds; the second one takes whole numbers however they are
# written.
# </details>


# %% answer="ex1"
def application_model():
    """Return the pydantic model of one loan application."""

    ### BEGIN SOLUTION
    # grader: no secret
    def as_int(number):
        return int(number) if isinstance(number, float) and number.is_integer() else number

    fields = {}
    for column in COLUMNS:
        bounds = Field(ge=column.low, le=column.high)
        if column.name in CATEGORIES:
            kind = Literal[CATEGORIES[column.name]]
        elif column.dtype == "float64":
            kind = Annotated[float, bounds]
        else:
            kind = Annotated[int, bounds, BeforeValidator(as_int)]
        if column.name in FEATURES:
            fields[column.name] = (kind, ...)
    return create_model("Application", __config__=ConfigDict(strict=True, extra="forbid"), **fields)
    ### END SOLUTION


# %% test="ex1" points=3
# Covers each rule on one field. Not shown: the same rules on every field.
shape = application_model()
assert shape is not None, "application_model returned nothing: return the class that create_model makes."
assert hasattr(shape, "model_validate_json"), "Return a pydantic model class, as create_model makes it."
ann = ROWS[0]
assert read(shape, json.dumps(ann)) == (ann, []), "An application that is right should be read as it is."
missing = {name: ann[name] for name in FEATURES if name != "term"}
assert read(shape, json.dumps(missing))[1] == ["term"], "Every field is required; `term` is missing here."
fine = ann | {"income": 2800.5}
assert read(shape, json.dumps(fine)) == (fine, []), "The income is a float: 2800.5 should be read as it is."
for name, low in [(column.name, column.low) for column in COLUMNS if column.name in ("income", "age")]:
    assert read(shape, json.dumps(ann | {name: low}))[1] == [], f"`low` is included: {name} may be {low:g}."
    refused = read(shape, json.dumps(ann | {name: low - 1}))[1]
    assert refused == [name], f"Below `low`: {name} must not be {low - 1:g}. You refuse {refused}."
    refused = read(shape, json.dumps(ann | {name: str(ann[name])}))[1]
    assert refused == [name], f"Text is no number: {name} must not be a text. You refuse {refused}."
assert read(shape, json.dumps(ann | {"delinquencies": True}))[1] == ["delinquencies"], "`true` is no 1."
assert read(shape, json.dumps(ann | {"channel": "WEB"}))[1] == ["channel"], 'A channel is "web", not "WEB".'
assert read(shape, json.dumps(ann | {"incmoe": 1}))[1] == ["incmoe"], "A field that is not in FEATURES is refused."
### BEGIN HIDDEN TESTS
for column in COLUMNS:
    if column.name not in FEATURES:
        continue
    if column.name in CATEGORIES:
        rights, wrongs = CATEGORIES[column.name], [CATEGORIES[column.name][0].upper(), "", 0, None]
    else:
        rights = (column.low, column.high)
        wrongs = [column.low - 1, column.high + 1, str(column.high), True, None, [column.low], math.nan, -math.inf]
    for right in rights:
        taken = read(shape, json.dumps(ann | {column.name: right}))[1] == []
        assert taken, f"{column.name} refuses a value of its schema: bounds and all categories should be taken."
    for wrong in wrongs:
        refused = read(shape, json.dumps(ann | {column.name: wrong}))[1]
        assert refused == [column.name], (
            f"With a wrong value of type {type(wrong).__name__} in {column.name}, that field should be refused; "
            f"you refuse {refused or 'none'}."
        )
assert read(shape, json.dumps(ann | {"group": "A"}))[1] == ["group"], "The protected group is no part of FEATURES."
### END HIDDEN TESTS

# %% test="ex1" part="whole" points=1
# Covers 36.0 and 36.5. Not shown: the other integer fields.
shape = application_model()
assert hasattr(shape, "model_validate_json"), "Return a pydantic model class that reads 36.0 as the integer 36."
row = ROWS[0] | {"delinquencies": 2, "debts": 100.5}
as_written, refused = read(shape, json.dumps(row | {"term": 36.0}))
assert refused == [], "36.0 is an integer for JSON; take it."
assert isinstance(as_written["term"], int) and as_written["term"] == 36, "36.0 should be read as the integer 36."
assert read(shape, json.dumps(row | {"term": 36.5}))[1] == ["term"], "36.5 is no integer: refuse it, do not round."
### BEGIN HIDDEN TESTS
assert read(shape, json.dumps(row | {"age": "36.0"}))[1] == ["age"], "Text is no number, with or without a point."
several = read(shape, json.dumps(row | {"age": 30.0, "delinquencies": 1.0}))
assert several[1] == [], "A whole number may be written with a point in every integer field."
assert isinstance(several[0]["age"], int), "Every integer field should be read as an int."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: say what is wrong
#
# When a request breaks the contract, FastAPI has a list of errors, one dict each. Three keys matter here: `loc` says
# where, as a tuple that begins with `"body"`; `msg` says what; `type` is a short name. `input` is what was sent. For one
# application `loc` is `("body", "income")`; in a batch `("body", 3, "income")`, with an int for the position, or
# `("body", 3)`; for half a JSON text `("body", 17)`, with the type `"json_invalid"`. (The lesson's `invalid` joins with
# dots: this is another format.)
#
# `explain(errors)` returns a list with one dict for each error, in the same order, with exactly these keys:
# - `"field"`: where, without the `"body"`: `"income"`; in a batch `"[3].income"`, counted from 0; `"[3]"` if all of
#   that application is wrong. `"body"` if nothing is left, and for the type `"json_invalid"`, whose `loc` ends with the
#   position of a character.
# - `"problem"`: `msg`.
# - `"wanted"`: `WANTED[name]` if the last part of `loc` is a name in it; else any text that helps, but never an empty
#   one.
#
# Nothing of what was sent may be in it: it is personal, and somebody logs it. (A field's name is no secret.)


# %% answer="ex2"
def explain(errors):
    """Return errors as a list of field, problem and wanted."""
    ### BEGIN SOLUTION
    told = []
    for error in errors:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:])
        if error["type"] == "json_invalid":
            where = ""
        hint = WANTED.get(error["loc"][-1], "JSON with the fields " + ", ".join(FEATURES))
        told.append({"field": where.lstrip(".") or "body", "problem": error["msg"], "wanted": hint})
    return told
    ### END SOLUTION


# %% test="ex2" points=2
# Covers one application, a body without fields, text that is no JSON. Not shown: other errors of these kinds.
low = {"type": "greater_than_equal", "loc": ("body", "income"), "msg": "too low", "input": -5, "ctx": {"ge": 300.0}}
typo = {"type": "extra_forbidden", "loc": ("body", "incmoe"), "msg": "not permitted", "input": "born 1972"}
empty = {"type": "missing", "loc": ("body",), "msg": "required", "input": None}
half = {"type": "json_invalid", "loc": ("body", 17), "msg": "no JSON", "input": {}, "ctx": {"error": "born 1974"}}
told = explain([low, typo, empty, half])
assert told is not None, "explain returned nothing: return a list of dicts."
assert isinstance(told, list) and len(told) == 4, "Return a list with one dict for each of the four errors."
for one in told:
    assert isinstance(one, dict) and set(one) == {"field", "problem", "wanted"}, (
        f"Each error should become a dict with the keys field, problem and wanted, not {one!r}."
    )
    helps = isinstance(one["wanted"], str) and one["wanted"].strip()
    assert helps, f"`wanted` should be a text that helps, never empty; for {one['field']!r} it is {one['wanted']!r}."
assert [one["problem"] for one in told] == ["too low", "not permitted", "required", "no JSON"], "`problem` is `msg`."
assert told[0]["field"] == "income", "The field is what `loc` says after the body."
assert told[0]["wanted"] == WANTED["income"], "For a field that is in WANTED, say what would have been taken."
assert told[1]["field"] == "incmoe", "A field that nobody knows is named as well."
assert told[2]["field"] == "body", "Nothing is left of `loc` after the body: the field is the body."
assert told[3]["field"] == "body", "Text that is no JSON has no field: 17 is the position of a character."
assert "born" not in str(told), "What was sent, in `input` or `ctx`, must not come back."
### BEGIN HIDDEN TESTS
others = [
    {"type": "json_invalid", "loc": ("body", 203), "msg": "bad comma", "input": "born 1975", "ctx": {}},
    {"type": "literal_error", "loc": ("body", "channel"), "msg": "one of web or branch", "input": "born 1976"},
    {"type": "too_short", "loc": ("body",), "msg": "too few", "input": ["born 1977"]},
]
told = explain(others)
assert isinstance(told, list) and len(told) == 3, "Every error should become one entry, in the order given."
assert [one["field"] for one in told] == ["body", "channel", "body"], "The field is wrong for other errors of one kind."
assert [one["problem"] for one in told] == [one["msg"] for one in others], "`problem` should be `msg`, in order."
assert told[1]["wanted"] == WANTED["channel"], "`wanted` should be that of the field that is wrong."
helps = all(isinstance(one["wanted"], str) and one["wanted"].strip() for one in told)
assert helps, "`wanted` should never be empty."
assert "born" not in str(told), "What was sent must not come back, whatever the kind of the error."
assert explain([]) == [], "No errors should give an empty list."
### END HIDDEN TESTS

# %% test="ex2" part="batch" points=1
# Covers the three forms of a position in a batch. Not shown: a batch with several errors.
income = {"type": "float_type", "loc": ("body", 3, "income"), "msg": "no number", "input": "born 1971"}
told = explain([income, income | {"loc": ("body", 0, "income")}, income | {"loc": ("body", 3)}])
assert isinstance(told, list) and len(told) == 3, "Return a list with one dict for each of the three errors."
assert all(isinstance(one, dict) and "field" in one for one in told), "Each error of a batch is a dict with `field`."
assert told[0]["field"] == "[3].income", f'In a batch the field is "[3].income" here, not {told[0]["field"]!r}.'
assert told[1]["field"] == "[0].income", f'Count from 0: the field is "[0].income" here, not {told[1]["field"]!r}.'
assert told[2]["field"] == "[3]", f'All of application 3 is wrong: the field is "[3]", not {told[2]["field"]!r}.'
### BEGIN HIDDEN TESTS
batch = [
    income | {"loc": ("body", 11, "channel"), "msg": "m1"},
    income | {"loc": ("body", 0), "msg": "m2"},
    income | {"loc": ("body", 42, "incmoe"), "msg": "m3"},
]
told = explain(batch)
assert isinstance(told, list) and len(told) == 3, "Every error of a batch should become one entry."
fields = [one.get("field") for one in told]
assert fields == ["[11].channel", "[0]", "[42].incmoe"], (
    f"In a batch, say which application and field; you say {fields}."
)
assert told[0].get("wanted") == WANTED["channel"], "`wanted` should be that of the field, in a batch as well."
assert "born" not in str(told), "What was sent must not come back, from a batch neither."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the scores
#
# `add_scoring(app, box)` adds two routes to a FastAPI app. `box` is a dict: `box["model"]` is a model with
# `predict(frame)`, which gives an array of probabilities, one for each row; `box["version"]` is a text. **The box may be
# filled, emptied or changed while the service runs**, so look into it with each request.
# - `POST /score` takes one application and returns `{"default_probability": ..., "model_version": ...}`.
# - `POST /score/batch` takes a list of 1 to 50 and returns `{"model_version": ..., "scores": [...]}`, the probabilities
#   in the order of the applications. If one application is wrong, all are refused.
# - A request that breaks the contract is answered 422, also while there is no model: FastAPI checks the types, if they
#   say what you take, before your function runs. (NaN still ends in 500 here, since FastAPI's own 422 quotes it;
#   exercise 5 mends that.)
# - While `box["model"]` is None: `raise HTTPException(503, ...)` with a text that says what is the matter. The caller
#   finds it as `detail`.
#
# The numbers are those of `predict`, to the last bit.
#
# <details><summary>Hint</summary>
#
# The class that exercise 1 returns can be the type of a route's argument: call it first, and give the class a name.
# `Body(max_length=...)` limits a list.
# </details>


# %% answer="ex3"
def add_scoring(app, box):
    """Add POST /score and POST /score/batch."""
    ### BEGIN SOLUTION
    # grader: no secret
    Application = application_model()

    def risks(applications):
        if box["model"] is None:
            raise HTTPException(503, "no model is loaded yet: try again in a minute")
        return box["model"].predict(pd.DataFrame([one.model_dump() for one in applications])).tolist()

    @app.post("/score")
    def score(application: Application) -> dict[str, float | str]:
        return {"default_probability": risks([application])[0], "model_version": box["version"]}

    @app.post("/score/batch")
    def score_batch(
        applications: Annotated[list[Application], Body(min_length=1, max_length=50)],
    ) -> dict[str, str | list[float]]:
        return {"scores": risks(applications), "model_version": box["version"]}

    ### END SOLUTION


# %% test="ex3" points=3
# Covers the answers to one application and to a batch, right and wrong. Not shown: a batch of 50.
app = build(add_scoring, "good")
risk = MODEL.predict(pd.DataFrame(ROWS)).tolist()
one = ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]
assert one["status"] != 404, "Nothing answers at POST /score: add the route to the app that you are given."
assert one["status"] == 200, f"An application that is right should get a score, and got {one}."
want = {"default_probability": risk[0], "model_version": "7"}
assert one["body"] == want, f"Want the model's number, to the last bit, and its version: {want}, not {one['body']}."
many = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:3]))])[0]
assert many["status"] == 200, f"A batch of three should get scores, and got {many}."
want = {"model_version": "7", "scores": risk[:3]}
assert many["body"] == want, f"Want the three numbers in the order of the applications: {want}, not {many['body']}."
wrong = ask(app, [("POST", "/score", json.dumps(ROWS[0] | {"income": "2800"}))])[0]
assert wrong["status"] == 422, "An income that is a text breaks the contract: use it as the type of the argument."
mixed = ask(app, [("POST", "/score/batch", json.dumps([ROWS[0], ROWS[1] | {"term": 0}]))])[0]
assert mixed["status"] == 422, "One application of the batch is wrong: refuse them all."
### BEGIN HIDDEN TESTS
last = ask(app, [("POST", "/score", json.dumps(ROWS[59]))])[0]
assert last == {"status": 200, "body": {"default_probability": risk[59], "model_version": "7"}}, (
    "Another application should get the model's number for it, to the last bit."
)
full = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:50]))])[0]
assert full["body"] == {"scores": risk[:50], "model_version": "7"}, "A batch of 50: the model's numbers, in order."
mixed = ask(app, [("POST", "/score/batch", json.dumps([ROWS[0] | {"channel": "fax"}, ROWS[1]]))])[0]
assert mixed["status"] == 422, "A batch should be refused wherever the wrong application stands in it."
got = [one["status"] for one in ask(app, [("GET", "/score", None), ("GET", "/score/batch", None)])]
assert got == [405, 405], f"The routes should take POST only; GET is answered {got}."
### END HIDDEN TESTS

# %% test="ex3" part="bounds" points=1
# Covers batches of 1, 51 and 0. Not shown: other lengths.
app = build(add_scoring, "good")
short = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:1]))])[0]
assert short["status"] == 200, "A batch of one is a batch."
long = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:51]))])[0]
assert long["status"] == 422, "51 are more than 50: refuse them."
none = ask(app, [("POST", "/score/batch", "[]")])[0]
assert none["status"] == 422, "A batch of none is the client's mistake, neither a score nor a fault of the service."
### BEGIN HIDDEN TESTS
assert ask(app, [("POST", "/score/batch", json.dumps(ROWS[:50]))])[0]["status"] == 200, "A batch of 50 is allowed."
assert ask(app, [("POST", "/score/batch", json.dumps(ROWS))])[0]["status"] == 422, "A batch of 60 is too long."
### END HIDDEN TESTS

# %% test="ex3" part="box" points=1
# Covers a service without a model, to which the model then comes. Not shown: batches, a model that is replaced.
app = build(add_scoring, "none")
early = ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]
assert early["status"] == 503, "Without a model the answer is 503: nothing is wrong with the request."
why = at(early["body"], "detail")
assert isinstance(why, str) and why.strip(), "Say in `detail`, a text, what is the matter."
wrong = ask(app, [("POST", "/score", json.dumps(ROWS[0] | {"income": -5}))])[0]
assert wrong["status"] == 422, "A request that breaks the contract is 422, also while there is no model."
put("good")
late = ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]
assert late["status"] == 200, "The model has arrived since: look into the box with each request."
assert at(late["body"], "model_version") == "7", "The version has arrived with the model: it is 7 now."
### BEGIN HIDDEN TESTS
assert ask(app, [("POST", "/score/batch", json.dumps(ROWS[:2]))])[0]["status"] == 200, "Batches get the new model, too."
put("good", version="8")
news = ask(app, [("POST", "/score", json.dumps(ROWS[0])), ("POST", "/score/batch", json.dumps(ROWS[:2]))])
versions = [at(one["body"], "model_version") for one in news]
assert versions == ["8", "8"], f"Version 8 is in the box now, and the answers should say so; they say {versions}."
put("none")
gone = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:2])), ("POST", "/score", json.dumps(ROWS[0]))])
assert [one["status"] for one in gone] == [503, 503], "The model was taken out again: both routes should answer 503."
assert all(at(one["body"], "detail") for one in gone), "Both routes should say in `detail` what is the matter."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: alive, and ready
#
# `add_probes(app, box)` adds two routes.
# - `GET /healthz`: 200 and `{"status": "alive"}`, with a model or without.
# - `GET /readyz`: 200 and `{"status": "ready"}` while there is a model in the box; while there is none, 503 with a
#   `detail`, a text that says what is missing.
#
# The z is Kubernetes' own spelling: a path that no page of the service will ever want.


# %% answer="ex4"
def add_probes(app, box):
    """Add GET /healthz and GET /readyz."""

    ### BEGIN SOLUTION
    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        if box["model"] is None:
            raise HTTPException(503, "no model is loaded yet")
        return {"status": "ready"}

    ### END SOLUTION


# %% test="ex4" points=2
# Covers both probes with a model, and after the model is gone. Not shown: the model comes back.
app = build(add_probes, "good")
health, ready = ask(app, [("GET", "/healthz", None), ("GET", "/readyz", None)])
assert health["status"] != 404 and ready["status"] != 404, "Nothing answers at GET /healthz or GET /readyz yet."
assert health == {"status": 200, "body": {"status": "alive"}}, "A process that answers is alive."
assert ready == {"status": 200, "body": {"status": "ready"}}, "With a model it is ready."
put("none")
health, ready = ask(app, [("GET", "/healthz", None), ("GET", "/readyz", None)])
assert health == {"status": 200, "body": {"status": "alive"}}, (
    "Without a model it still lives: a restart does not help."
)
assert ready["status"] == 503, "Without a model it is not ready, and a probe reads the status only: 503."
why = at(ready["body"], "detail")
assert isinstance(why, str) and why.strip(), "The body of the 503 has `detail`, a text that says what is missing."
### BEGIN HIDDEN TESTS
put("good")
back = ask(app, [("GET", "/readyz", None)])[0]
assert back == {"status": 200, "body": {"status": "ready"}}, "The model is back, so it is ready again."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the service
#
# `make_app(box)` returns the whole service: a FastAPI app with the routes of exercises 3 and 4, and with errors that are
# a promise.
# - Every error has one form, the problem details of RFC 9457. Its media type is `application/problem+json`, and its body
#   has `title` (the status in words: `HTTPStatus(404).phrase == "Not Found"`), `status` (the number) and `detail` (a
#   text). That goes for 422, for 500, for the 503 of `/score`, and for what FastAPI answers by itself, such as 404.
# - 422 has one key more, `errors`, which is `explain(...)`, for NaN, half a JSON text and a number with 500 digits alike.
#   What Python's reader of JSON cannot take at all (bytes that are no text, thousands of digits, nesting without end)
#   stays a 400.
# - If the model fails, the answer is 500, and it holds nothing of the exception: that could quote the customer.
# - The OpenAPI schema says so: for both scoring routes it has the statuses 422 and 503, and for 422 a body with `errors`,
#   a list of objects with `field`, `problem` and `wanted`, each a string. As the body of a request it has the fields of
#   an application. `FastAPI(responses=...)` says so of the probes too, and calls the media type of all answers
#   `application/json`; both are accepted here.
#
# <details><summary>Hint</summary>
#
# `FastAPI(responses={status: {"model": ...}}, exception_handlers={kind of exception: function(request, error)})`; the
# kinds are `RequestValidationError`, `StarletteHTTPException` (the parent of FastAPI's, and what a path is refused with
# that nobody has added) and `Exception`. A function that handles an exception returns a
# `JSONResponse(body, status, media_type=...)`. For the schema, write the shapes down as two small classes of pydantic,
# one in a list of the other.
# </details>


# %% answer="ex5"
def make_app(box):
    """Return the scoring service over what is in the box."""

    ### BEGIN SOLUTION
    class Fault(BaseModel):
        field: str
        problem: str
        wanted: str

    class Invalid(BaseModel):
        title: str
        status: int
        detail: str
        errors: list[Fault]

    def problem(status: int, detail: str, **more: list) -> JSONResponse:
        body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
        return JSONResponse(body, status, media_type="application/problem+json")

    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "the request breaks the contract", errors=explain(error.errors()))

    def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return problem(error.status_code, error.detail)

    def broken(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "a fault of the service")

    handlers = {
        RequestValidationError: invalid,
        StarletteHTTPException: refused,
        Exception: broken,
    }
    promised = {422: {"model": Invalid}, 503: {"description": "no model is loaded yet"}}
    app = FastAPI(responses=promised, exception_handlers=handlers)
    for add in (add_scoring, add_probes):
        add(app, box)
    return app
    ### END SOLUTION


# %% test="ex5" points=3
# Covers both routes with a wrong field, NaN, half a JSON text and 500 digits. Not shown: some hundred requests more.
app = whole(make_app, "good")
assert app is not None, "make_app returned nothing: return the app."
assert callable(app), "make_app should return a FastAPI app."
low = json.dumps(ROWS[0] | {"income": -5})
got, health = ask(app, [("POST", "/score", low), ("GET", "/healthz", None)])
assert health["status"] == 200, "The routes of exercises 3 and 4 belong to it."
assert got["status"] == 422, "A request that breaks the contract is answered 422."
assert at(got["body"], "errors", 0, "wanted") == WANTED["income"], (
    "The `errors` of a 422 are what `explain` makes of it."
)
assert at(got["body"], "status") == 422, "The body of an error has the `status` as a number: 422 here."
assert at(got["body"], "title") == HTTPStatus(422).phrase, "`title` is the status in words, from HTTPStatus."
detail = at(got["body"], "detail")
assert isinstance(detail, str) and detail.strip(), "`detail` is a text for people, and never empty."
form = media_type(app, "POST", "/score", low)
assert form == "application/problem+json", f"The media type of an error is application/problem+json, not {form}."
several = json.dumps(ROWS[0] | {"income": math.nan, "age": 10**500})
half = json.dumps(ROWS[0])[:-1]
for path, text, fields in [
    ("/score", several, {"age", "income"}),
    ("/score/batch", f"[{json.dumps(ROWS[0])}, {several}]", {"[1].age", "[1].income"}),
    ("/score", half, {"body"}),
    ("/score/batch", half, {"body"}),
]:
    got = ask(app, [("POST", path, text)])[0]
    assert got["status"] == 422, f"{path}: NaN, 500 digits or half a JSON text is answered 422, not {got['status']}."
    errors = at(got["body"], "errors")
    assert isinstance(errors, list) and {at(one, "field") for one in errors} == fields, (
        f"{path}: the 422 should name the fields {sorted(fields)}, and says {errors}."
    )
assert ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]["status"] == 200, "A right application gets a score."
### BEGIN HIDDEN TESTS
draw = random.Random(5)
SECRET = "born 1971-03-04"


def right_value(column):
    if column.name in CATEGORIES:
        return draw.choice(CATEGORIES[column.name])
    if column.dtype == "float64":
        return draw.choice([column.low, column.high, round(draw.uniform(column.low, column.high), 2)])
    number = draw.choice([column.low, column.high, draw.randint(int(column.low), int(column.high))])
    return draw.choice([int(number), float(number)])


def wrong_value(column):
    kinds = [SECRET, None, True, [SECRET], {"a": SECRET}, math.nan, math.inf, 10**500, -1, 1e300]
    return draw.choice(kinds if column.name in CATEGORIES else [*kinds, column.low - 0.5, str(column.high)])


def named(answer):
    return {at(one, "field") for one in at(answer["body"], "errors") or []}


known = [column for column in COLUMNS if column.name in FEATURES]
sent, wrong_fields = [], []
for number in range(60):
    letter = {column.name: right_value(column) for column in known}
    spoilt = draw.sample(known, number % 3)
    for column in spoilt:
        letter[column.name] = wrong_value(column)
    names = {column.name for column in spoilt}
    if number % 7 == 1:
        letter[f"note{number}"] = SECRET
        names.add(f"note{number}")
    if number % 11 == 2:
        lost = draw.choice(list(FEATURES))
        del letter[lost]
        names.add(lost)
    sent.append(letter)
    wrong_fields.append(names)
answers = ask(app, [("POST", "/score", json.dumps(letter)) for letter in sent])
for letter, names, told in zip(sent, wrong_fields, answers, strict=True):
    if not names:
        assert told["status"] == 200, f"A right application was answered {told}."
        risk = float(MODEL.predict(pd.DataFrame([letter]))[0])
        right = {"default_probability": risk, "model_version": "7"}
        assert told["body"] == right, "A right application should get the model's number, to the last bit."
        continue
    assert told["status"] == 422, f"Fields {sorted(names)} are wrong, and the status is {told['status']}."
    keys = {"title", "status", "detail", "errors"}
    assert set(told["body"]) == keys, f"The body of a 422 should have the keys {sorted(keys)} and no other."
    assert {(field or "").split(".")[0] for field in named(told)} == names, (
        "Name all fields that are wrong, and no other."
    )
    assert SECRET not in str(told), "What was sent must not come back."
batches = ask(app, [("POST", "/score/batch", json.dumps([sent[0], letter])) for letter in sent[:12]])
for names, told in zip(wrong_fields[:12], batches, strict=True):
    want = 422 if names else 200
    assert told["status"] == want, "In a batch an application should be judged as it is alone."
    if names:
        assert named(told) == {f"[1].{name}" for name in names}, "In a batch, say which application is wrong."
texts = ["", "{", "[", "null", "7", '"text"', "[[]]", "nan", '{"income": }', "[{}]", "{}"]
for path in ["/score", "/score/batch"]:
    for text, told in zip(texts, ask(app, [("POST", path, text) for text in texts]), strict=True):
        assert told["status"] == 422, f"{path}: the text {text!r} is no request: 422, not {told['status']}."
        first = at(told["body"], "errors", 0)
        shaped = isinstance(first, dict) and set(first) == {"field", "problem", "wanted"} and first["field"]
        assert shaped, f"{path}: the 422 for the text {text!r} should be what `explain` makes of it."
### END HIDDEN TESTS

# %% test="ex5" part="form" points=1
# Covers the form of 404, and of 503 from /score. Not shown: other errors.
app = whole(make_app, "none")
assert callable(app), "make_app should return the app, also while there is no model."
lost, waiting = ask(app, [("GET", "/nowhere", None), ("POST", "/score", json.dumps(ROWS[0]))])
assert lost["status"] == 404, "A path that nobody added is answered 404."
assert lost["body"] == {"title": "Not Found", "status": 404, "detail": at(lost["body"], "detail")}, (
    f"The body of a 404 has title, status and detail, and no other key; yours is {lost['body']}."
)
assert isinstance(lost["body"]["detail"], str), "`detail` is a text, in a 404 as well."
form = media_type(app, "GET", "/nowhere")
assert form == "application/problem+json", f"The media type of an error is application/problem+json, not {form}."
assert waiting["status"] == 503, "Without a model the whole service answers 503, as in exercise 3."
assert at(waiting["body"], "title") == "Service Unavailable", "The 503 has the one form, too: its title is missing."
### BEGIN HIDDEN TESTS
assert at(waiting["body"], "status") == 503, "The body of an error should have the status as a number."
why = at(waiting["body"], "detail")
assert isinstance(why, str) and why.strip(), "The `detail` of exercise 3 should stay in the 503 of the whole service."
form = media_type(app, "POST", "/score", json.dumps(ROWS[0]))
assert form == "application/problem+json", "The media type of the 503 should be that of every error."
asked = ask(app, [("GET", "/score", None), ("POST", "/score", '{"a": ' + "9" * 5000 + "}")])
for status, got in zip((405, 400), asked, strict=True):
    assert got["status"] == status, f"The status {status} should stay what FastAPI makes of such a request."
    titled = at(got["body"], "title") == HTTPStatus(status).phrase
    assert titled, "Whatever FastAPI refuses by itself should have the form of every error."
### END HIDDEN TESTS

# %% test="ex5" part="fault" points=1
# Covers a model that fails at one application. Not shown: the service lives on.
app = whole(make_app, "broken")
assert callable(app), "make_app should return the app, to try it with a model that fails."
hurt = ask(app, [("POST", "/score", json.dumps(ROWS[0] | {"income": 4321.0}))])[0]
assert hurt["status"] == 500, "A fault of the model is a fault of the service: 500."
assert at(hurt["body"], "detail"), "The body of a 500 is JSON with a detail."
assert at(hurt["body"], "title") == "Internal Server Error", "A 500 has the form of every error, with a title."
assert "4321" not in str(hurt), "The model's exception quotes the income; nothing of it may reach the caller."
### BEGIN HIDDEN TESTS
assert "cannot score" not in str(hurt), "Nothing of the exception may reach the caller, its words neither."
again = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:2]))])[0]
assert again["status"] == 500 and at(again["body"], "detail"), "A batch at which the model fails is a 500 with detail."
form = media_type(app, "POST", "/score", json.dumps(ROWS[0]))
assert form == "application/problem+json", "The media type of a 500 should be that of every error."
after = ask(app, [("GET", "/healthz", None), ("POST", "/score", json.dumps(ROWS[0] | {"income": "4321"}))])
assert [got["status"] for got in after] == [200, 422], (
    "After a fault the service should live on, and a wrong request still be the client's fault."
)
### END HIDDEN TESTS

# %% test="ex5" part="schema" points=1
# Covers the statuses and the body of a 422 in the schema. Not shown: the body of a request.
app = whole(make_app, "good")
assert callable(app), "make_app should return the app, with a schema that says what it answers."
schema = ask(app, [("GET", "/openapi.json", None)])[0]["body"]


def looked_up(part):
    """Return a part of the schema, or, where it only refers to another part by `$ref`, that part."""
    while isinstance(part, dict) and "$ref" in part:
        part = at(schema, "components", "schemas", part["$ref"].rsplit("/", 1)[1])
    return part


for path in ("/score", "/score/batch"):
    stated = at(schema, "paths", path, "post", "responses") or {}
    assert {"200", "422", "503"} <= set(stated), f"The schema of {path} does not say which statuses may come."
    content = at(stated, "422", "content") or {}
    body = looked_up(at(content.get("application/problem+json") or content.get("application/json"), "schema"))
    errors = looked_up(at(body, "properties", "errors"))
    assert at(errors, "type") == "array", f"The body of a 422 of {path} has `errors`, a list; say so in the schema."
    one = at(looked_up(errors["items"]), "properties") or {}
    kinds = {name: at(looked_up(part), "type") for name, part in one.items()}
    want = {"field": "string", "problem": "string", "wanted": "string"}
    assert kinds == want, f"In `errors` of a 422 of {path} the schema should have {want}, and has {kinds}."
### BEGIN HIDDEN TESTS
for path in ["/score", "/score/batch"]:
    asked = at(schema, "paths", path, "post", "requestBody", "content", "application/json", "schema")
    row = looked_up(at(looked_up(asked), "items") or asked)
    assert set(at(row, "properties") or {}) == set(FEATURES), (
        f"The schema of {path} should have the fields of an application as the body of the request."
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: change it, break nobody
#
# Before a new version goes out, yesterday's requests are sent to the old service and to the new one. `broken_by(before,
# after)` gets the answers, two lists of the same length, in the order of the requests; each answer is a dict with
# `"status"` and `"body"`. Return the list of positions (from 0, rising) at which a client that was served before is not
# served as before:
# - The old answer was a success (status 200 to 299), the new one is none; or
# - both are, and a key of the old body is missing in the new one, or its value is of another kind. There are six kinds
#   of JSON: null, true or false, number, text, list, object. 1 and 1.5 are both numbers.
# - In an object the same holds for each of its keys, however deep. What is in a list does not matter here.
#
# A new key breaks nobody, and neither does another number or another text.


# %% answer="ex6"
def broken_by(before, after):
    """Return the positions of answers that would break a client."""

    ### BEGIN SOLUTION
    def kind(value):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return "number"
        return type(value).__name__

    def keeps(old, new):
        if kind(old) != kind(new):
            return False
        if not isinstance(old, dict):
            return True
        return all(key in new and keeps(value, new[key]) for key, value in old.items())

    def served(answer):
        return 200 <= answer["status"] < 300

    return [
        position
        for position, (old, new) in enumerate(zip(before, after, strict=True))
        if served(old) and not (served(new) and keeps(old["body"], new["body"]))
    ]
    ### END SOLUTION


# %% test="ex6" points=2
# Covers each sentence of the text once. Not shown: more answers of the same kinds.
def reply(status=200, **body):
    """Return an answer."""
    return {"status": status, "body": body}


old = [reply(risk=0.2, version="7"), reply(risk=0.9, version="7")]
same = broken_by(old, old)
assert same is not None, "broken_by returned nothing: return a list of positions."
assert isinstance(same, list), f"Return a list of positions, not {type(same).__name__}."
assert same == [], "The same answers break nobody: return an empty list."
assert broken_by(old, [reply(422, detail="income"), old[1]]) == [0], "A client that was served is refused now."
assert broken_by(old, [old[0], reply(risk=0.9)]) == [1], "A key is missing."
assert broken_by(old, [reply(risk="0.2", version="7"), old[1]]) == [0], "The risk was a number and is a text now."
assert broken_by(old, [reply(risk=1, version="8", limit=1), old[1]]) == [], (
    "Another number (1 for 0.2), another text and a new key break nobody."
)
deep = [reply(score={"risk": 0.2, "why": {"first": "income"}}, tags=["a"])]
assert broken_by(deep, [reply(score={"risk": 0.2, "why": {}}, tags=["a"])]) == [0], "A key is missing, further down."
assert broken_by(deep, [reply(score={"risk": 1, "why": {"first": "age"}}, tags=[7])]) == [], (
    "What is in a list does not matter."
)
assert broken_by([reply(422, detail="x")], [reply(500)]) == [], "Who was not served before cannot be broken."
### BEGIN HIDDEN TESTS
kept = [reply(risk=0.3, version="8", limit=1), reply(201, risk=1, version="7")]
assert broken_by(old, kept) == [], "Other numbers, other texts, new keys and a status 201 should break nobody."
changed = [reply(risk="0.2", version="7"), reply(risk=None, version="7")]
assert broken_by(old, changed) == [0, 1], "A value of another kind, text or null for a number, breaks a client."
assert broken_by([reply(503)], [reply(a=1)]) == [], "A client that was refused before is not broken by an answer now."
more = [reply(score={"risk": 1, "why": {"first": "age", "second": "x"}}, tags=[])]
assert broken_by(deep, more) == [], "New keys further down and an empty list should break nobody."
other = [reply(score={"risk": 1, "why": {"first": 3}}, tags=["a"])]
assert broken_by(deep, other) == [0], "A value of another kind further down breaks a client."
assert broken_by(deep, [reply(score=[1], tags=["a"])]) == [0], "A list in place of an object is another kind."
positions = broken_by([reply(a=1)] * 12, [reply(a=1)] * 9 + [reply()] * 3)
assert positions == [9, 10, 11], "The positions should count from 0, rising."
### END HIDDEN TESTS

# %% test="ex6" part="kinds" points=1
# Covers null and the lowest success. Not shown: the other kinds of JSON, the other ends of success.
nothing = [{"status": 200, "body": {"x": None}}]
same = broken_by(nothing, nothing)
assert isinstance(same, list) and same == [], "null before and null now: the same kind."
assert broken_by(nothing, [{"status": 200, "body": {"x": 0}}]) == [0], "null and a number are two kinds."
assert broken_by(nothing, [{"status": 199, "body": {"x": None}}]) == [0], "199 is no success: 200 to 299 is one."
### BEGIN HIDDEN TESTS
flags, numbers = [reply(ok=True), reply(n=1)], [reply(ok=1), reply(n=False)]
assert broken_by(flags, numbers) == [0, 1], "true and false are a kind of their own in JSON, no numbers."
assert broken_by([reply(), reply(299)], [reply(300), reply(299)]) == [0], "299 is a success, 300 is none."
assert broken_by([reply(300)], [reply(500)]) == [], "300 was no success before, so nobody was served."
assert broken_by(nothing, [reply()]) == [0], "A key whose value was null is missing: that breaks a client, too."
assert broken_by([{"status": 200, "body": [1]}], [reply(a=1)]) == [0], "A body that was a list is an object now."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own: your service on a real port. `GET /docs` at the address that it
# prints is its page (FastAPI's own, which needs the network). `server.should_exit = True` ends it.
#
# ```python
# import threading, uvicorn
#
# put("good")
# server = uvicorn.Server(uvicorn.Config(make_app(BOX), port=8123))
# threading.Thread(target=server.run).start()
# ```
