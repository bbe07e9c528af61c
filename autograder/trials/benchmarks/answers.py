# ruff: noqa
# mypy: ignore-errors
# What is handed in for `lab.py` beside the reference answers: `# %% ex1 right`, `wrong`, or `warns` (right, but it
# writes a warning to stderr, for which nbgrader gives no points).

# %% ex1 right
def clean(raw):
    loans = raw.copy()
    loans = loans[~loans["loan"].duplicated()]
    loans["income"] = loans["income"].fillna(loans["income"].median())
    return loans.reset_index(drop=True)


# %% ex1 right
def clean(raw):
    rows, seen = [], set()
    for row in raw.to_dict("records"):
        if row["loan"] not in seen:
            seen.add(row["loan"])
            rows.append(row)
    loans = pd.DataFrame(rows)
    loans.loc[loans["income"].isna(), "income"] = np.nanmedian(loans["income"])
    return loans


# %% ex1 wrong
def clean(raw):
    loans = raw.fillna({"income": raw["income"].mean()})
    return loans.drop_duplicates("loan").reset_index(drop=True)


# %% ex1 warns
import warnings


def clean(raw):
    warnings.warn("clean: duplicates are dropped", stacklevel=2)
    loans = raw.drop_duplicates("loan").reset_index(drop=True)
    return loans.assign(income=loans["income"].fillna(loans["income"].median()))


# %% ex2 right
def rates(loans):
    rows = []
    for purpose in loans["purpose"].unique():
        group = loans[loans["purpose"] == purpose]
        rows.append((purpose, len(group), group["defaulted"].mean()))
    rows.sort(key=lambda row: -row[2])
    return pd.DataFrame(rows, columns=["purpose", "loans", "rate"])


# %% ex2 right
def rates(loans):
    groups = loans.groupby("purpose")["defaulted"]
    table = pd.DataFrame({"loans": groups.count(), "rate": groups.mean()})
    return table.sort_values("rate", ascending=False).reset_index()


# %% ex2 wrong
def rates(loans):
    return loans.groupby("purpose", as_index=False).agg(loans=("loan", "size"), rate=("defaulted", "mean"))


# %% ex3 right
def fit(loans):
    prepare = ColumnTransformer(
        [("n", StandardScaler(), NUMBERS), ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), NAMES)]
    )
    pipeline = make_pipeline(prepare, LogisticRegression(C=0.5, max_iter=1000, random_state=0))
    pipeline.fit(loans, loans["defaulted"])
    return pipeline


# %% ex3 wrong
def fit(loans):
    prepare = ColumnTransformer([("n", StandardScaler(), NUMBERS), ("c", OneHotEncoder(), NAMES)])
    return make_pipeline(prepare, LogisticRegression()).fit(loans, loans["defaulted"])


# %% ex3 wrong
def fit(loans):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(loans[NUMBERS + NAMES], loans["defaulted"])


# %% ex4 right
def measure(model, loans):
    chances = model.predict_proba(loans[NUMBERS + NAMES])[:, 1]
    truth = loans["defaulted"].to_numpy()
    return {
        "auc": float(roc_auc_score(truth, chances)),
        "brier": float(np.mean((chances - truth) ** 2)),
        "log_loss": float(-np.mean(np.where(truth == 1, np.log(chances), np.log(1 - chances)))),
    }


# %% ex4 wrong
def measure(model, loans):
    guess = model.predict(loans[NUMBERS + NAMES])
    truth = loans["defaulted"]
    return {
        "auc": float(roc_auc_score(truth, guess)),
        "brier": float(brier_score_loss(truth, guess)),
        "log_loss": float(log_loss(truth, guess)),
    }


# %% ex5 right
def compare(loans):
    table = {"model": [], "auc": []}
    for name, model in [
        ("boosting", GradientBoostingClassifier(n_estimators=38, random_state=0)),
        ("forest", RandomForestClassifier(n_estimators=20, max_depth=6, random_state=0)),
        ("logistic", make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))),
    ]:
        table["model"].append(name)
        table["auc"].append(
            np.mean(cross_val_score(model, loans[NUMBERS], loans["defaulted"], cv=3, scoring="roc_auc"))
        )
    return pd.DataFrame(table).sort_values("auc", ascending=False).reset_index(drop=True)


# %% ex5 wrong
def compare(loans):
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        "forest": RandomForestClassifier(20, max_depth=6, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=38, random_state=0),
    }
    rows = [
        (name, cross_val_score(model, loans[NUMBERS], loans["defaulted"], cv=3).mean())
        for name, model in models.items()
    ]
    return pd.DataFrame(rows, columns=["model", "auc"]).sort_values("auc", ascending=False, ignore_index=True)


# %% ex6 right
def contract(model, loans):
    columns = NUMBERS + NAMES
    chance = model.predict_proba(loans[columns])[:, 1]
    signature = infer_signature(loans[columns], pd.DataFrame(chance, columns=["chance"])).to_dict()
    import json

    found = {}
    for side in ("inputs", "outputs"):
        found[side] = {column["name"]: column["type"] for column in json.loads(signature[side])}
    return found


# %% ex6 wrong
def contract(model, loans):
    signature = infer_signature(loans, model.predict(loans[NUMBERS + NAMES]))
    return {
        "inputs": {column.name: column.type.name for column in signature.inputs if column.name in NUMBERS + NAMES},
        "outputs": {"chance": "long"},
    }
