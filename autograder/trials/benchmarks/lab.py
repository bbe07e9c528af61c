# ruff: noqa
# mypy: ignore-errors
# What stands above the first cell is no part of the lab, which the benchmarks grade in a course of its own.

# %% [markdown]
# # 01 Loan model
#
# From a table of a bank's loans to a model that can be handed over: clean it, look at it, train, measure, compare,
# and write down what goes in and what comes out. Six exercises, 18 points.

# %% locked="setup"
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS, NAMES = ["income", "amount", "age"], ["purpose", "region"]


def make_loans(rows, seed):
    """Return loans that were never given, with the habits of real ones."""
    rng = np.random.default_rng(seed)
    loans = pd.DataFrame(
        {
            "loan": np.arange(rows),
            "month": rng.integers(1, 13, rows),
            "income": rng.lognormal(7.8, 0.4, rows).round(2),
            "amount": rng.lognormal(8.6, 0.6, rows).round(2),
            "age": rng.integers(18, 75, rows).astype(float),
            "purpose": rng.choice(["car", "home", "study", "other"], rows, p=[0.4, 0.3, 0.1, 0.2]),
            "region": rng.choice(["north", "south", "west"], rows),
        }
    )
    risk = -2.4 + 0.9 * np.log(loans["amount"] / loans["income"]) + 0.8 * (loans["purpose"] == "other")
    loans["defaulted"] = (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(int)
    return loans


# %% locked="data"
LOANS = make_loans(1500, seed=7)
RAW = pd.concat([LOANS, LOANS.iloc[::50]], ignore_index=True)
RAW.loc[RAW.index % 23 == 0, "income"] = np.nan

# %% [markdown]
# ## Exercise 1: clean
#
# `clean(raw)`: the loans of `raw`, each `loan` once (the first row counts), a missing income replaced by the median of
# the incomes that are left, index 0, 1, … `raw` itself stays as it is.


# %% answer="ex1"
def clean(raw):
    """Return each loan once, no income missing."""
    ### BEGIN SOLUTION
    loans = raw.drop_duplicates("loan").reset_index(drop=True)
    return loans.assign(income=loans["income"].fillna(loans["income"].median()))
    ### END SOLUTION


# %% test="ex1" points=3
found = clean(RAW)
assert found is not None, "clean returned nothing: return a data frame."
assert len(found) == 1500, "Each of the 1500 loans is there once."
assert found["income"].notna().all(), "No income is missing."
### BEGIN HIDDEN TESTS
assert found.index.tolist() == list(range(1500)), "The index counts from 0."
assert RAW["income"].isna().any(), "The frame that is passed in stays as it is."
small = pd.DataFrame({"loan": [1, 1, 2, 3], "income": [100.0, 100.0, np.nan, 400.0]})
assert clean(small)["income"].tolist() == [100.0, 250.0, 400.0], "The median of what is left, duplicates dropped."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: look
#
# `rates(loans)`: a data frame with the columns `purpose`, `loans` (how many) and `rate` (the share that defaulted), the
# highest rate first, index 0, 1, …


# %% answer="ex2"
def rates(loans):
    """Return one row per purpose, the riskiest first."""
    ### BEGIN SOLUTION
    table = loans.groupby("purpose", as_index=False).agg(loans=("loan", "size"), rate=("defaulted", "mean"))
    return table.sort_values("rate", ascending=False, ignore_index=True)
    ### END SOLUTION


# %% test="ex2" points=3
table = rates(LOANS)
assert table is not None, "rates returned nothing: return a data frame."
assert list(table.columns) == ["purpose", "loans", "rate"], "The columns are purpose, loans and rate."
assert table["loans"].sum() == len(LOANS), "Every loan counts once."
### BEGIN HIDDEN TESTS
assert table["rate"].is_monotonic_decreasing, "The highest rate stands first."
assert table["purpose"][0] == "other", "Loans for other purposes default most."
for row in table.itertuples():
    mean = LOANS.loc[LOANS["purpose"] == row.purpose, "defaulted"].mean()
    assert abs(row.rate - mean) < 1e-12, "The rate is the share of the loans that defaulted."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: train
#
# `fit(loans)`: a fitted scikit-learn pipeline that predicts `defaulted` from the columns `NUMBERS` (scaled) and `NAMES`
# (one-hot, values that it has not seen ignored) by logistic regression.


# %% answer="ex3"
def fit(loans):
    """Return a model of the risk of default."""
    ### BEGIN SOLUTION
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), NUMBERS), ("names", OneHotEncoder(handle_unknown="ignore"), NAMES)]
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=500))
    return model.fit(loans[NUMBERS + NAMES], loans["defaulted"])
    ### END SOLUTION


# %% test="ex3" points=3
train, test = LOANS.iloc[:1000], LOANS.iloc[1000:]
model = fit(train)
assert model is not None, "fit returned nothing: return the fitted pipeline."
chances = model.predict_proba(test[NUMBERS + NAMES])[:, 1]
assert chances.shape == (500,), "One chance for each loan."
### BEGIN HIDDEN TESTS
assert roc_auc_score(test["defaulted"], chances) > 0.6, "The model ranks loans better than that."
assert abs(chances.mean() - train["defaulted"].mean()) < 0.05, "Chances are about as high as the rate of defaults."
strange = test.head(5).assign(purpose="boat")
assert model.predict_proba(strange[NUMBERS + NAMES]).shape == (5, 2), "A new purpose is ignored."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: measure
#
# `measure(model, loans)`: a dict with `auc`, `brier` and `log_loss` of the model's chances on `loans`, as floats.


# %% answer="ex4"
def measure(model, loans):
    """Return how good the model's chances are."""
    ### BEGIN SOLUTION
    chances, truth = model.predict_proba(loans[NUMBERS + NAMES])[:, 1], loans["defaulted"]
    scores = {"auc": roc_auc_score, "brier": brier_score_loss, "log_loss": log_loss}
    return {name: float(score(truth, chances)) for name, score in scores.items()}
    ### END SOLUTION


# %% test="ex4" points=3
scores = measure(fit(LOANS.iloc[:1000]), LOANS.iloc[1000:])
assert scores is not None, "measure returned nothing: return a dict."
assert sorted(scores) == ["auc", "brier", "log_loss"], "The keys are auc, brier and log_loss."
### BEGIN HIDDEN TESTS
assert all(type(score) is float for score in scores.values()), "Scores are floats."
assert 0.6 < scores["auc"] < 0.9, "The area under the curve of the chances, not of the verdicts."
assert 0.05 < scores["brier"] < 0.25, "The mean squared error of the chances."
assert 0.2 < scores["log_loss"] < 0.7, "The log loss of the chances."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: compare
#
# `compare(loans)`: a data frame with the columns `model` and `auc`, the best first, index 0, 1, … The models are
# `logistic` (`LogisticRegression(max_iter=500)` on scaled numbers), `forest` (20 trees, `max_depth=6`,
# `random_state=0`) and `boosting` (38 rounds, `random_state=0`); each sees the columns `NUMBERS` only, and `auc` is
# the mean of a 3-fold cross-validation.


# %% answer="ex5"
def compare(loans):
    """Return the models with their cross-validated area under the curve, the best first."""
    ### BEGIN SOLUTION
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        "forest": RandomForestClassifier(20, max_depth=6, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=38, random_state=0),
    }
    rows = []
    for name, model in models.items():
        auc = cross_val_score(model, loans[NUMBERS], loans["defaulted"], cv=3, scoring="roc_auc").mean()
        rows.append({"model": name, "auc": auc})
    return pd.DataFrame(rows).sort_values("auc", ascending=False, ignore_index=True)
    ### END SOLUTION


# %% test="ex5" points=3
table = compare(LOANS)
assert table is not None, "compare returned nothing: return a data frame."
assert list(table.columns) == ["model", "auc"], "The columns are model and auc."
assert sorted(table["model"]) == ["boosting", "forest", "logistic"], "Three models, each once."
### BEGIN HIDDEN TESTS
assert table["auc"].is_monotonic_decreasing, "The best stands first."
assert table["model"][0] == "logistic", "On these loans the simplest model is the best."
assert table["auc"].between(0.6, 0.75).all(), "The area under the curve, not the accuracy."
assert table.equals(compare(LOANS)), "The same loans give the same table."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: hand over
#
# `contract(model, loans)`: what MLflow's `infer_signature` says of the model: a dict `{"inputs": …, "outputs": …}`, each
# a dict from the names of the columns to their types as text (`{"income": "double", …}`). Inputs are the columns that
# the model reads, and its output is a column `chance` (data frame) with the chance of default.


# %% answer="ex6"
def contract(model, loans):
    """Return the names and types of what goes into the model and what comes out."""
    ### BEGIN SOLUTION
    inputs = loans[NUMBERS + NAMES]
    outputs = pd.DataFrame({"chance": model.predict_proba(inputs)[:, 1]})
    signature = infer_signature(inputs, outputs)
    return {
        "inputs": {column.name: column.type.name for column in signature.inputs},
        "outputs": {column.name: column.type.name for column in signature.outputs},
    }
    ### END SOLUTION


# %% test="ex6" points=3
papers = contract(fit(LOANS), LOANS)
assert papers is not None, "contract returned nothing: return a dict."
assert sorted(papers) == ["inputs", "outputs"], "The keys are inputs and outputs."
assert sorted(papers["inputs"]) == sorted(NUMBERS + NAMES), "Inputs are the columns that the model reads."
### BEGIN HIDDEN TESTS
assert {name: kind.lower() for name, kind in papers["inputs"].items()} == {
    "income": "double",
    "amount": "double",
    "age": "double",
    "purpose": "string",
    "region": "string",
}, "The types are MLflow's."
assert {name: kind.lower() for name, kind in papers["outputs"].items()} == {"chance": "double"}, "One column, chance."
### END HIDDEN TESTS
