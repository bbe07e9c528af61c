"""A real data set for the same pipeline: Statlog (German Credit), 1,000 applicants of a German bank.

Source: Hans Hofmann, UCI Machine Learning Repository, CC BY 4.0; the same rows are OpenML's `credit-g` (id 31).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from oakbank.pipelines.features import DataSpec

_COLUMNS = (
    "checking_status", "duration", "credit_history", "purpose", "credit_amount", "savings_status", "employment",
    "installment_commitment", "personal_status", "other_parties", "residence_since", "property_magnitude", "age",
    "other_payment_plans", "housing", "existing_credits", "job", "num_dependents", "own_telephone", "foreign_worker",
)  # fmt: skip
_NUMERIC = (
    "duration", "credit_amount", "installment_commitment", "residence_since", "age", "existing_credits",
    "num_dependents",
)  # fmt: skip
# UCI's codes in the order of OpenML's values, so that both sources give the same rows.
_CODES: dict[str, dict[str, str]] = {
    "checking_status": {"A11": "<0", "A12": "0<=X<200", "A13": ">=200", "A14": "no checking"},
    "credit_history": {
        "A30": "no credits/all paid", "A31": "all paid", "A32": "existing paid", "A33": "delayed previously",
        "A34": "critical/other existing credit",
    },
    "purpose": {
        "A40": "new car", "A41": "used car", "A42": "furniture/equipment", "A43": "radio/tv",
        "A44": "domestic appliance", "A45": "repairs", "A46": "education", "A48": "retraining", "A49": "business",
        "A410": "other",
    },
    "savings_status": {
        "A61": "<100", "A62": "100<=X<500", "A63": "500<=X<1000", "A64": ">=1000", "A65": "no known savings",
    },
    "employment": {"A71": "unemployed", "A72": "<1", "A73": "1<=X<4", "A74": "4<=X<7", "A75": ">=7"},
    "personal_status": {
        "A91": "male div/sep", "A92": "female div/dep/mar", "A93": "male single", "A94": "male mar/wid",
    },
    "other_parties": {"A101": "none", "A102": "co applicant", "A103": "guarantor"},
    "property_magnitude": {
        "A121": "real estate", "A122": "life insurance", "A123": "car", "A124": "no known property",
    },
    "other_payment_plans": {"A141": "bank", "A142": "stores", "A143": "none"},
    "housing": {"A151": "rent", "A152": "own", "A153": "for free"},
    "job": {
        "A171": "unemp/unskilled non res", "A172": "unskilled resident", "A173": "skilled",
        "A174": "high qualif/self emp/mgmt",
    },
    "own_telephone": {"A191": "none", "A192": "yes"},
    "foreign_worker": {"A201": "yes", "A202": "no"},
}  # fmt: skip
_LIKE_UCI = {column: {value: code for code, value in codes.items()} for column, codes in _CODES.items()}

GERMAN = DataSpec(
    name="german",
    numeric=_NUMERIC,
    # Sex and marital status and being a foreign worker stay out of the model, as the group does at Oakbank.
    categories={c: tuple(codes) for c, codes in _CODES.items() if c not in ("personal_status", "foreign_worker")},
)


class SourceError(ValueError):
    """A data file that is not what it should be; the message says what was found and what is wanted."""


def load_german(path: str | Path | None = None) -> pd.DataFrame:
    """Return the German credit data as the pipeline's labelled table.

    Args:
        path: A copy of UCI's `german.data`; None fetches `credit-g` from OpenML, which needs the network.

    Returns:
        1,000 rows: the 18 columns of `GERMAN`, and `application_id`, `amount` (DM), `term` (months), `group`
        ("female"/"male"), `defaulted` (bool). There are no dates, so `month` is 0 for all.

    Raises:
        SourceError: The file is not `german.data`.
    """
    if path is None:
        from sklearn.datasets import fetch_openml

        fetched = fetch_openml("credit-g", version=1, as_frame=True, parser="auto").frame
        frame = fetched.rename(columns={"class": "label"})
        for column, values in _LIKE_UCI.items():
            frame[column] = frame[column].astype(str).str.strip("'").map(values)
        defaulted = (frame["label"] == "bad").to_numpy()
    else:
        try:
            frame = pd.read_csv(path, sep=r"\s+", header=None, names=[*_COLUMNS, "label"])
        except FileNotFoundError:
            raise SourceError(f"no file {path}: give the path of UCI's german.data") from None
        labels = set(frame["label"].dropna().unique())
        # UCI writes 2 for bad; copies that write 0 are about as common.
        if frame.isna().any(axis=None) or not (labels <= {1, 2} or labels <= {0, 1}):
            raise SourceError(f"{path}: want 21 columns, the last 1 (good) or 2 (bad), as in UCI's german.data")
        defaulted = (frame["label"] != 1).to_numpy()
    for column, codes in _CODES.items():
        if unknown := set(frame[column].dropna()) - set(codes):
            raise SourceError(f"column {column}: unknown values {sorted(map(str, unknown))[:3]}")
    return frame.drop(columns="label").assign(
        application_id=np.arange(len(frame), dtype=np.int64),
        month=np.int16(0),
        amount=frame["credit_amount"].astype(np.float64),
        term=frame["duration"].astype(np.int16),
        group=np.where(frame["personal_status"] == "A92", "female", "male"),
        defaulted=defaulted,
    )
