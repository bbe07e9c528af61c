"""Two ways to go on learning: a step for each row, or a fresh model of the youngest months."""

from collections.abc import Callable, Hashable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from river import compose, linear_model, optim, preprocessing
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from oakbank.pipelines import FEATURE_NAMES, CreditModel

Matrix = NDArray[np.float32]
Labels = NDArray[np.bool_]
Risks = NDArray[np.float64]
Fit = Callable[[Matrix, Labels], Callable[[Matrix], Risks]]
"""Takes features and outcomes; returns what predicts default probabilities, shape (n,)."""

STEP = 0.003
"""How far a row moves the model, as a share of its error. River's 0.01 forgets faster, and is noisier when calm."""


class Learner(Protocol):
    """What learns while time goes on."""

    def hear(self, matrix: Matrix, defaulted: Labels) -> None:
        """Take the outcomes that have become known since the last call, oldest loan first.

        Args:
            matrix: From `feature_matrix`, shape (n, features).
            defaulted: Shape (n,).
        """

    def predict(self, matrix: Matrix) -> Risks:
        """Return default probabilities, shape (n,)."""


def online_model(step: float = STEP) -> compose.Pipeline:
    """Return River's logistic regression on features scaled by their running mean and deviation."""
    steps = optim.SGD(step)
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optimizer=steps, intercept_lr=step)


def as_rows(matrix: Matrix) -> list[dict[Hashable, float]]:
    """Return each row as River takes it: a dict from feature to value."""
    return [dict(zip(FEATURE_NAMES, row, strict=True)) for row in matrix.astype(np.float64).tolist()]


class RowByRow:
    """Learns from each outcome once, as it comes, and keeps no row."""

    def __init__(self, step: float = STEP) -> None:
        self.model = online_model(step)

    def hear(self, matrix: Matrix, defaulted: Labels) -> None:
        """Take one step for each row."""
        for row, outcome in zip(as_rows(matrix), defaulted.tolist(), strict=True):
            self.model.learn_one(row, outcome)

    def predict(self, matrix: Matrix) -> Risks:
        """Return default probabilities, shape (n,); 0.5 for all before the first outcome."""
        return np.array([self.model.predict_proba_one(row)[True] for row in as_rows(matrix)])


class Scheduled:
    """Keeps the youngest outcomes and trains a fresh model of them.

    Args:
        fit: Trains.
        window: Calls of `hear` that a training learns from: months, where there is one a month.
        every: Calls from one training to the next.
    """

    def __init__(self, fit: Fit, window: int = 12, every: int = 1) -> None:
        if window < 1 or every < 1:
            raise ValueError(f"window and every must be 1 or more, not {window} and {every}")
        self.fit, self.window, self.every = fit, window, every
        self.heard: list[tuple[Matrix, Labels]] = []
        self.calls = self.trained = 0
        self.model: Callable[[Matrix], Risks] | None = None

    def hear(self, matrix: Matrix, defaulted: Labels) -> None:
        """Keep the rows, and forget those that have left the window."""
        self.heard = [*self.heard, (matrix, defaulted)][-self.window :]
        self.calls += 1

    def predict(self, matrix: Matrix) -> Risks:
        """Return default probabilities, shape (n,); trains first, if it is time.

        Raises:
            ValueError: Nothing was heard yet.
        """
        if not self.heard:
            raise ValueError("no outcome is known yet: hear some before you predict")
        if self.model is None or self.calls - self.trained >= self.every:
            rows, outcomes = zip(*self.heard, strict=True)
            self.model, self.trained = self.fit(np.concatenate(rows), np.concatenate(outcomes)), self.calls
        return self.model(matrix)


def logistic(matrix: Matrix, defaulted: Labels) -> Callable[[Matrix], Risks]:
    """Train scikit-learn's logistic regression on scaled features: the model of `RowByRow`, all rows at once."""
    # Solved to the end, or two versions of SciPy would stop at different places.
    solver = LogisticRegression(tol=1e-8, max_iter=1000)
    model = make_pipeline(StandardScaler(), solver).fit(matrix.astype(np.float64), defaulted)
    return lambda rows: np.asarray(model.predict_proba(rows.astype(np.float64))[:, 1], dtype=np.float64)


def trees(matrix: Matrix, defaulted: Labels) -> Callable[[Matrix], Risks]:
    """Train Oakbank's model, LightGBM."""
    return CreditModel.fit(matrix, defaulted).predict_matrix
