"""The shortest service that scores, in Flask: `gunicorn flask_app:app` with the model's file in OAKBANK_MODEL."""

import os
from typing import Any

import pandas as pd
from flask import Flask, request

from oakbank.pipelines import CreditModel

app = Flask(__name__)
model = CreditModel.load(os.environ["OAKBANK_MODEL"])


@app.post("/score")
def score() -> dict[str, Any]:
    """Score a list of applications."""
    return {"default_probabilities": model.predict(pd.DataFrame(request.get_json())).tolist()}
