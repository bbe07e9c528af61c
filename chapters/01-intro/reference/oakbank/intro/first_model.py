"""The first honest model: logistic regression over the columns of an application."""

from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from oakbank.world import CATEGORIES, FEATURES


def first_model() -> Pipeline:
    """Return an untrained model that takes raw applications; the protected group is not among its inputs."""
    categories = [column for column in FEATURES if column in CATEGORIES]
    numbers = [column for column in FEATURES if column not in CATEGORIES]
    return make_pipeline(
        make_column_transformer(
            (StandardScaler(), numbers),
            (OneHotEncoder(categories=[list(CATEGORIES[column]) for column in categories]), categories),
        ),
        LogisticRegression(max_iter=1_000),
    )
