# %% [markdown]
# # 02 Scoring service
#
# The bank's web page wants to ask the model over HTTP. In this lab you build the service: a contract made from the
# bank's schema, errors that say what to do, scores, probes, and at the end the whole app, which is held to its
# contract by some hundred requests that you do not see.
#
# You need lesson 02/09. About 80 minutes; six exercises, 22 points. `uv run course check 02-scoring-service` runs all
# tests at once.

# %% locked="setup"
import json
import math
import random
import warnings
from typing import Annotated, Literal

import pandas as pd
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

warnings.filterwarnings("ignore", message="Using `httpx`")  # the test client asks for the successor of httpx
from fastapi.testclient import TestClient

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

# %% [markdown]
# The helpers below run what you write and give back plain data. `read(shape, text)` lets a pydantic model read a JSON
# text. `build(add, model)` puts a model of `MODELS` into `BOX`, makes an empty app and lets your function add to it.
# `ask(app, requests)` sends `(method, path, text)`, one after the other, and returns `{"status", "body"}` for each. (The
# cell's first line is for the grader.)


# %% locked="helpers"
# grader: these run where the answers run
def read(shape, text):
    """Return what a pydantic model reads from a JSON text, or None, and the fields that it refuses."""
    try:
        return shape.model_validate_json(text).model_dump(), []
    except ValidationError as error:
        return None, sorted({str((*fault["loc"], "body")[0]) for fault in error.errors()})


def put(model):
    """Put a model into the box, or take it out ("none"), while an app may be running."""
    BOX.update(model=MODELS[model], version=None if model == "none" else "7")


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


def ask(app, requests):
    """Send requests to an app, without a port, and return their answers as plain data."""
    client = TestClient(app, raise_server_exceptions=False)
    answers = []
    for method, path, text in requests:
        got = client.request(method, path, content=text, headers={"content-type": "application/json"})
        try:
            answers.append({"status": got.status_code, "body": got.json()})
        except ValueError:
            answers.append({"status": got.status_code, "body": got.text})
    return answers


# %% [markdown]
# ## Exercise 1: the contract
#
# Write `application_model()`: it returns a pydantic model class with one required field for each name in `FEATURES`,
# made from the bank's schema. An entry of `COLUMNS` has `name`, `dtype`, `low` and `high`; `CATEGORIES` maps the name of
# a column with categories to its values. A number is a float if `dtype` is `"float64"`, else an integer.
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
shape = application_model()
assert shape is not None, "application_model returned nothing: return the class that create_model makes."
ann = ROWS[0]
assert read(shape, json.dumps(ann)) == (ann, []), "An application that is right should be read as it is."
assert read(shape, json.dumps(ann | {"income": -5}))[1] == ["income"], "An income below `low` must be refused."
missing = {name: ann[name] for name in FEATURES if name != "term"}
assert read(shape, json.dumps(missing))[1] == ["term"], "Every field is required."
### BEGIN HIDDEN TESTS
for column in COLUMNS:
    if column.name not in FEATURES:
        continue
    if column.name in CATEGORIES:
        for right in CATEGORIES[column.name]:
            assert read(shape, json.dumps(ann | {column.name: right}))[1] == [], f"{right} is a {column.name}."
        wrongs = [CATEGORIES[column.name][0].upper(), "", 0, None]
    else:
        for right in (column.low, column.high):
            assert read(shape, json.dumps(ann | {column.name: right}))[1] == [], "The bounds are included."
        wrongs = [column.low - 1, column.high + 1, str(column.high), True, None, [column.low], math.nan, -math.inf]
    for wrong in wrongs:
        refused = read(shape, json.dumps(ann | {column.name: wrong}))[1]
        assert refused == [column.name], f"{column.name} takes a value that it must refuse, or refuses another field."
assert read(shape, json.dumps(ann | {"incmoe": 1}))[1] == ["incmoe"], "A field that nobody knows must be refused."
assert read(shape, json.dumps(ann | {"group": "A"}))[1] == ["group"], "The protected group is no part of FEATURES."
fine = ann | {"income": 2800.5}
assert read(shape, json.dumps(fine))[0]["income"] == 2800.5, "A float may have decimals."
### END HIDDEN TESTS

# %% test="ex1" part="whole" points=1
shape = application_model()
assert shape is not None, (
    "application_model returned nothing: return the class, to read a whole number however written."
)
row = ROWS[0] | {"delinquencies": 2, "debts": 100.5}
as_written, refused = read(shape, json.dumps(row | {"term": 36.0}))
assert refused == [], "36.0 is an integer for JSON; take it."
### BEGIN HIDDEN TESTS
assert as_written["term"] == 36 and isinstance(as_written["term"], int), "Read as the integer 36."
assert read(shape, json.dumps(row | {"term": 36.5}))[1] == ["term"], "36.5 is no integer."
assert read(shape, json.dumps(row | {"age": "36.0"}))[1] == ["age"], "Text is no number, with or without a point."
assert read(shape, json.dumps(row | {"age": 30.0, "delinquencies": 1.0}))[1] == [], "Every integer field."
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


# %% test="ex2" points=3
low = {"type": "greater_than_equal", "loc": ("body", "income"), "msg": "too low", "input": -5, "ctx": {"ge": 300.0}}
told = explain([low])
assert told is not None, "explain returned nothing: return a list of dicts."
assert len(told) == 1 and set(told[0]) == {"field", "problem", "wanted"}, "One dict for each error, with three keys."
assert told[0]["field"] == "income", "The field is what `loc` says after the body."
assert told[0]["wanted"] == WANTED["income"], "Say what would have been taken."
### BEGIN HIDDEN TESTS
assert told[0]["problem"] == "too low"
several = [
    {"type": "float_type", "loc": ("body", 3, "income"), "msg": "no number", "input": "born 1971"},
    {"type": "extra_forbidden", "loc": ("body", 0, "incmoe"), "msg": "not permitted", "input": "born 1972"},
    {"type": "model_type", "loc": ("body", 12), "msg": "no object", "input": "born 1973"},
    {"type": "missing", "loc": ("body",), "msg": "required", "input": None},
    {"type": "json_invalid", "loc": ("body", 17), "msg": "no JSON", "input": {}, "ctx": {"error": "born 1974"}},
    {"type": "literal_error", "loc": ("body", "channel"), "msg": "one of web or branch", "input": "born 1975"},
]
told = explain(several)
fields = [one["field"] for one in told]
assert fields[0] == "[3].income" and fields[5] == "channel", "In a batch, say which application."
assert fields[1] == "[0].incmoe", "The first application of a batch is [0]."
assert fields[2] == "[12]", "All of application 12 is wrong: it has no field."
assert fields[3] == "body", "Nothing was sent at all: the field is the body."
assert fields[4] == "body", "Text that is no JSON has no field; 17 is a character, not an application."
assert [one["problem"] for one in told] == [one["msg"] for one in several], "Every error, in its order."
assert [one["wanted"] for one in told][0::5] == [WANTED["income"], WANTED["channel"]], "In a batch, too."
assert all(isinstance(one["wanted"], str) and one["wanted"].strip() for one in told), "Always say what is wanted."
assert "born" not in str(told), "What was sent must not come back."
assert explain([]) == [], "No errors, nothing to tell."
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
# - While `box["model"]` is None: 503, with a `detail` that says what is the matter.
#
# The numbers are those of `predict`, to the last bit.
#
# <details><summary>Hint</summary>
#
# The class that exercise 1 returns can be the type of a route's argument: call it first, and give the class a name.
# `raise HTTPException(503, "...")` gives an answer with that status and `detail`. `Body(max_length=...)` limits a list.
# </details>


# %% answer="ex3"
def add_scoring(app, box):
    """Add POST /score and POST /score/batch."""
    ### BEGIN SOLUTION
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
app = build(add_scoring, "good")
one = ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]
assert one["status"] != 404, "Nothing answers at POST /score: add the route to the app that you are given."
assert one["status"] == 200, f"An application that is right should get a score, and got {one}."
assert set(one["body"]) == {"default_probability", "model_version"}, "Want these two keys in the answer."
many = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:3]))])[0]
assert many["status"] == 200 and len(many["body"]["scores"]) == 3, "A batch of three should get three scores."
### BEGIN HIDDEN TESTS
risk = MODEL.predict(pd.DataFrame(ROWS)).tolist()
assert one["body"] == {"default_probability": risk[0], "model_version": "7"}, "The model's number, to the last bit."
full = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:50]))])[0]
assert full["body"] == {"scores": risk[:50], "model_version": "7"}, "The model's numbers, in the given order."
mixed = ask(app, [("POST", "/score/batch", json.dumps([ROWS[0], ROWS[1] | {"term": 0}]))])[0]
assert mixed["status"] == 422, "One application of the batch is wrong: refuse them all, and score none in silence."
wrong = ask(app, [("POST", "/score", json.dumps(ROWS[0] | {"income": "2800"}))])[0]
assert wrong["status"] == 422, "Use the contract of exercise 1 as the type of the argument."
assert [got["status"] for got in ask(app, [("GET", "/score", None), ("GET", "/score/batch", None)])] == [405, 405]
### END HIDDEN TESTS

# %% test="ex3" part="bounds" points=1
app = build(add_scoring, "good")
short = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:1]))])[0]
assert short["status"] == 200, "A batch of one is a batch."
### BEGIN HIDDEN TESTS
long = ask(app, [("POST", "/score/batch", json.dumps(ROWS[:51]))])[0]
assert long["status"] == 422, "51 are more than 50: refuse them."
none = ask(app, [("POST", "/score/batch", "[]")])[0]
assert none["status"] == 422, "A batch of none is the client's mistake, neither a score nor a fault of the service."
### END HIDDEN TESTS

# %% test="ex3" part="box" points=1
app = build(add_scoring, "none")
early = ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]
assert early["status"] == 503, "Without a model the answer is 503: nothing is wrong with the request."
### BEGIN HIDDEN TESTS
assert early["body"].get("detail"), "Say in `detail` what is the matter."
assert ask(app, [("POST", "/score/batch", json.dumps(ROWS[:2]))])[0]["status"] == 503, "Batches, too."
put("good")
late = ask(app, [("POST", "/score", json.dumps(ROWS[0]))])[0]
assert late["status"] == 200, "The model has arrived since: look into the box with each request."
assert late["body"]["model_version"] == "7", "The version has arrived with it."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: alive, and ready
#
# `add_probes(app, box)` adds two routes.
# - `GET /health`: 200 and `{"status": "alive"}`, with a model or without.
# - `GET /ready`: 200 and `{"ready": True, "reason": ""}` while there is a model in the box; while there is none, 503 and
#   `{"ready": False, "reason": ...}`, where the reason is a text that says what is missing.


# %% answer="ex4"
def add_probes(app, box):
    """Add GET /health and GET /ready."""

    ### BEGIN SOLUTION
    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready")
    def ready() -> JSONResponse:
        if box["model"] is None:
            return JSONResponse({"ready": False, "reason": "no model is loaded yet"}, status_code=503)
        return JSONResponse({"ready": True, "reason": ""})

    ### END SOLUTION


# %% test="ex4" points=2
app = build(add_probes, "good")
health, ready = ask(app, [("GET", "/health", None), ("GET", "/ready", None)])
assert health["status"] != 404 and ready["status"] != 404, "Nothing answers at GET /health or GET /ready yet."
assert health == {"status": 200, "body": {"status": "alive"}}, "A process that answers is alive."
assert ready == {"status": 200, "body": {"ready": True, "reason": ""}}, "With a model it is ready."
### BEGIN HIDDEN TESTS
put("none")
ready, health = ask(app, [("GET", "/ready", None), ("GET", "/health", None)])
assert health == {"status": 200, "body": {"status": "alive"}}, "Without a model it still lives: no restart helps."
assert ready["status"] == 503, "Without a model it is not ready, and a probe reads the status only."
assert ready["body"]["ready"] is False and set(ready["body"]) == {"ready", "reason"}
assert isinstance(ready["body"]["reason"], str) and ready["body"]["reason"].strip(), "Say what is missing."
put("good")
assert ask(app, [("GET", "/ready", None)])[0]["status"] == 200, "The model is back, so it is ready again."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the service
#
# `make_app(box)` returns the whole service: a FastAPI app with the routes of exercises 3 and 4, and with errors that are
# a promise.
# - 422 has the body `{"detail": explain(...)}`, for NaN, half a JSON text and a number with 500 digits alike. What
#   Python's reader of JSON cannot take at all (bytes that are no text, thousands of digits, nesting without end) stays
#   FastAPI's 400: leave it.
# - If the model fails, the answer is 500 with a `detail` that holds nothing of the exception: it could quote the
#   customer.
# - The OpenAPI schema says so: for both scoring routes it has the statuses 422 and 503, and for 422 a body with `detail`,
#   a list of objects with `field`, `problem` and `wanted`, each a string. `FastAPI(responses=...)` says so of the probes
#   too; that is accepted here.
#
# <details><summary>Hint</summary>
#
# `FastAPI(responses={status: {"model": ...}}, exception_handlers={kind of exception: function(request, error)})`; the
# kinds are `RequestValidationError` and `Exception`. A function that handles an exception returns a `JSONResponse`. For
# the schema, write the shapes down as two small classes of pydantic, one in a list of the other.
# </details>


# %% answer="ex5"
def make_app(box):
    """Return the scoring service over what is in the box."""

    ### BEGIN SOLUTION
    class Fault(BaseModel):
        field: str
        problem: str
        wanted: str

    class Refused(BaseModel):
        detail: list[Fault]

    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": explain(error.errors())}, status_code=422)

    def broken(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "a fault of the service"}, status_code=500)

    app = FastAPI(
        responses={422: {"model": Refused}, 503: {"description": "no model is loaded yet"}},
        exception_handlers={RequestValidationError: invalid, Exception: broken},
    )
    for add in (add_scoring, add_probes):
        add(app, box)
    return app
    ### END SOLUTION


# %% test="ex5" points=3
app = whole(make_app, "good")
assert app is not None, "make_app returned nothing: return the app."
got, health = ask(app, [("POST", "/score", json.dumps(ROWS[0] | {"income": -5})), ("GET", "/health", None)])
assert health["status"] == 200, "The routes of exercises 3 and 4 belong to it."
assert got["status"] == 422, "A request that breaks the contract is answered 422."
assert got["body"]["detail"][0].get("wanted") == WANTED["income"], "The body of a 422 is what `explain` makes of it."
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
        assert told["body"] == {"default_probability": risk, "model_version": "7"}, (
            "A right application, another number."
        )
        continue
    assert told["status"] == 422, f"Fields {sorted(names)} are wrong, and the status is {told['status']}."
    assert set(told["body"]) == {"detail"} and len(told["body"]["detail"]) >= len(names), "Tell every fault."
    assert {one["field"].split(".")[0] for one in told["body"]["detail"]} == names, "Name the fields that are wrong."
    assert SECRET not in str(told), "What was sent must not come back."
batches = ask(app, [("POST", "/score/batch", json.dumps([sent[0], letter])) for letter in sent[:12]])
for names, told in zip(wrong_fields[:12], batches, strict=True):
    assert told["status"] == (422 if names else 200), "In a batch, the same letters must be judged the same."
    if names:
        assert {one["field"] for one in told["body"]["detail"]} == {f"[1].{name}" for name in names}, "Which one is it?"
texts = ["", "{", "[", "null", "7", '"text"', "[[]]", "nan", '{"income": }', json.dumps(ROWS[0])[:-1], "[{}]", "{}"]
for path in ("/score", "/score/batch"):
    for told in ask(app, [("POST", path, text) for text in texts]):
        assert told["status"] == 422 and told["body"]["detail"][0]["field"], (
            "Any text but a request is refused, by 422."
        )
        assert set(told["body"]["detail"][0]) == {"field", "problem", "wanted"}
assert ask(whole(make_app, "none"), [("POST", "/score", json.dumps(ROWS[0]))])[0]["status"] == 503
### END HIDDEN TESTS

# %% test="ex5" part="fault" points=1
app = whole(make_app, "broken")
hurt = ask(app, [("POST", "/score", json.dumps(ROWS[0] | {"income": 4321.0}))])[0]
assert hurt["status"] == 500, "A fault of the model is a fault of the service: 500."
assert isinstance(hurt["body"], dict) and hurt["body"].get("detail"), "The body of a 500 is JSON with a detail."
### BEGIN HIDDEN TESTS
assert "4321" not in str(hurt) and "cannot score" not in str(hurt), "Nothing of the exception may reach the caller."
after = ask(app, [("GET", "/health", None), ("POST", "/score", json.dumps(ROWS[0] | {"income": "4321"}))])
assert [got["status"] for got in after] == [200, 422], (
    "It still lives, and a wrong request is still the client's fault."
)
### END HIDDEN TESTS

# %% test="ex5" part="schema" points=1
app = whole(make_app, "good")
assert app is not None, "make_app returned nothing: return the app, with a schema that says what it answers."
schema = ask(app, [("GET", "/openapi.json", None)])[0]["body"]
for route in ("/score", "/score/batch"):
    stated = schema["paths"][route]["post"]["responses"]
    assert {"200", "422", "503"} <= set(stated), f"The schema of {route} does not say which statuses may come."
### BEGIN HIDDEN TESTS


def looked_up(part):
    while "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return part


for path in ("/score", "/score/batch"):
    stated = schema["paths"][path]["post"]["responses"]["422"]
    content = stated.get("content", {}).get("application/json", {}).get("schema", {})
    detail = looked_up(looked_up(content).get("properties", {}).get("detail", {}))
    assert detail.get("type") == "array", "The body of a 422 has `detail`, a list; say so in the schema."
    parts = looked_up(detail["items"]).get("properties", {})
    kinds = {name: looked_up(part).get("type") for name, part in parts.items()}
    assert kinds == {"field": "string", "problem": "string", "wanted": "string"}, "What stands in `detail` is not told."
    asked = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    row = looked_up(looked_up(asked).get("items", asked))
    assert set(row["properties"]) == set(FEATURES), "The schema should have the fields of an application."
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


# %% test="ex6" points=3
def reply(status=200, **body):
    """Return an answer."""
    return {"status": status, "body": body}


old = [reply(risk=0.2, version="7"), reply(risk=0.9, version="7")]
assert broken_by(old, old) is not None, "broken_by returned nothing: return a list of positions."
assert broken_by(old, old) == [], "The same answers break nobody."
assert broken_by(old, [reply(422, detail="income"), old[1]]) == [0], "A client that was served is refused now."
assert broken_by(old, [old[0], reply(risk=0.9)]) == [1], "A key is missing."
### BEGIN HIDDEN TESTS
assert broken_by(old, [reply(risk=0.3, version="8", limit=1), reply(201, risk=1, version="7")]) == [], "Nobody breaks."
assert broken_by(old, [reply(risk="0.2", version="7"), reply(risk=None, version="7")]) == [0, 1], "Another kind."
assert broken_by([reply(ok=True), reply(n=1)], [reply(ok=1), reply(n=False)]) == [0, 1], "true is no number in JSON."
assert broken_by([reply(422, detail="x"), reply(503)], [reply(a=1), reply(500)]) == [], "Who was refused before?"
assert broken_by([reply(), reply(299)], [reply(300), reply(199)]) == [0, 1], "A success is 200 to 299."
deep = [reply(score={"risk": 0.2, "why": {"first": "income"}}, tags=["a"])]
assert broken_by(deep, [reply(score={"risk": 1, "why": {"first": "age", "second": "x"}}, tags=[])]) == []
assert broken_by(deep, [reply(score={"risk": 1, "why": {}}, tags=["a"])]) == [0], "A key is missing, further down."
assert broken_by(deep, [reply(score={"risk": 1, "why": {"first": 3}}, tags=["a"])]) == [0], "Another kind, deep down."
assert broken_by(deep, [reply(score=[1], tags=["a"])]) == [0], "A list is no object."
assert broken_by([reply(x=None)], [reply(x=None)]) == [] and broken_by([reply(x=None)], [reply()]) == [0]
assert broken_by([reply(a=1)] * 12, [reply(a=1)] * 9 + [reply()] * 3) == [9, 10, 11], "Rising positions."
assert broken_by([{"status": 200, "body": [1]}], [{"status": 200, "body": {"a": 1}}]) == [0], "A body that is a list."
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
