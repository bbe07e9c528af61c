"""The credit model: boosted trees kept as text, which loads without running anybody's code."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.pipelines.features import OAKBANK, DataSpec, feature_matrix
from oakbank.pipelines.german import GERMAN
from oakbank.pipelines.table_spec import parse
from oakbank.world import break_even
from oakbank.world.files import write_text

SPECS = {spec.name: spec for spec in (OAKBANK, GERMAN)}
TREE_PARAMS: dict[str, Any] = {
    "learning_rate": 0.05,
    "num_leaves": 12,
    "min_data_in_leaf": 60,
    "lambda_l2": 5.0,
    "feature_fraction": 0.8,
}
"""LightGBM parameters unless others are given; a search (`oakbank.pipelines.tuning`) begins here."""
SAME_BYTES: dict[str, Any] = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
"""One thread and two flags: the same bytes on every run."""

_SPEC = "\noakbank_spec:"
"""After LightGBM's own text, which ends with its last tree for LightGBM: what the features are, in one line of JSON."""


class ModelError(RuntimeError):
    """A model file that is missing, damaged, or made for other features."""


def spec_of(key: str) -> DataSpec:
    """Return the data set of a `DataSpec.key`.

    Raises:
        ValueError: It is neither a name of `SPECS` nor a specification as JSON.
    """
    return SPECS[key] if key in SPECS else parse(key).data_spec()


@dataclass(frozen=True)
class CreditModel:
    """Default probability from an application. Same text, same digest, same answers."""

    booster: lgb.Booster
    spec: DataSpec = OAKBANK

    @classmethod
    def fit(
        cls,
        matrix: NDArray[np.float32],
        defaulted: ArrayLike,
        *,
        spec: DataSpec = OAKBANK,
        params: dict[str, Any] | None = None,
        rounds: int = 150,
        seed: int = 0,
        weight: ArrayLike | None = None,
    ) -> "CreditModel":
        """Train on features and known outcomes.

        Args:
            matrix: From `feature_matrix`, shape (n, len(spec.feature_names)).
            defaulted: Outcomes, bool, shape (n,).
            spec: Which data set the rows are of.
            params: LightGBM parameters that replace the defaults.
            rounds: Number of trees.
            seed: Seed of LightGBM.
            weight: Weight of each row, shape (n,).
        """
        settings = {"objective": "binary"} | TREE_PARAMS | SAME_BYTES | {"seed": seed} | (params or {})
        data = lgb.Dataset(
            matrix,
            np.asarray(defaulted, dtype=np.int8),
            weight=None if weight is None else np.asarray(weight, dtype=np.float64),
            feature_name=list(spec.feature_names),
        )
        return cls(lgb.train(settings, data, num_boost_round=rounds), spec)

    @classmethod
    def load(cls, path: str | Path, digest: str | None = None) -> "CreditModel":
        """Read a model from LightGBM's text format.

        Args:
            path: The file.
            digest: What the model's `digest` must be, where it is known; checked before LightGBM sees the file.
                Without it a missing or added part is found, but not a changed number.

        Raises:
            ModelError: The file is missing, damaged, not the one wanted, or its features are not those of a known
                data set.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"no model at {path}: train one first")
        content = path.read_bytes().replace(b"\r\n", b"\n")
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise ModelError(f"{path} is not the model that is wanted (its sha256 differs): train or download it again")
        damaged = f"{path} is not a whole LightGBM model (truncated, or changed): train or download it again"
        # LightGBM reads trees in threads, where a damaged one ends the whole process and not in an exception.
        if not _whole(content):
            raise ModelError(damaged)
        try:
            booster = lgb.Booster(model_str=content.decode("utf-8").partition(_SPEC)[0])
        except (ValueError, lgb.basic.LightGBMError) as error:
            raise ModelError(damaged) from error
        told = _told(content, damaged)
        for spec in SPECS.values() if told is None else (told,):
            if tuple(booster.feature_name()) == spec.feature_names:
                return cls(booster, spec)
        raise ModelError(f"{path} was trained on other features than this code builds; use the code of its version")

    def text(self) -> str:
        """Return the model in LightGBM's text format, and after it the specification of data of one's own."""
        text = str(self.booster.model_to_string(num_iteration=-1))
        return f"{text}{_SPEC}{self.spec.source}\n" if self.spec.source else text

    def save(self, path: str | Path) -> None:
        """Write the model whole or not at all."""
        write_text(Path(path), self.text())

    @property
    def digest(self) -> str:
        """The sha256 of the model's text."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def predict(self, applications: pd.DataFrame) -> NDArray[np.float64]:
        """Return the default probability of each application, shape (n,)."""
        return self.predict_matrix(feature_matrix(applications, self.spec))

    def predict_matrix(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return default probabilities from ready features, shape (n,)."""
        return np.asarray(self.booster.predict(matrix, num_threads=1), dtype=np.float64)


def _told(content: bytes, damaged: str) -> DataSpec | None:
    """Return the specification that a model's text holds; None: it holds none."""
    _, mark, source = content.rpartition(_SPEC.encode())
    if not mark:
        return None
    try:
        return parse(source.decode("utf-8").rstrip("\n")).data_spec()
    except ValueError as error:
        raise ModelError(damaged) from error


def _whole(content: bytes) -> bool:
    """Return whether each tree has the size that the head of the file says, and the end is there."""
    sizes = re.search(rb"^tree_sizes=([\d ]*)$", content, re.MULTILINE)
    position = content.find(b"\nTree=0\n") + 1
    if sizes is None or position == 0:
        return False
    for number, size in enumerate(sizes[1].split()):
        if not content.startswith(b"Tree=%d\n" % number, position):
            return False
        position += int(size)
    return content.startswith(b"end of trees", position) and b"\nend of parameters\n" in content[position:]


def month_weight(month: ArrayLike, half_life: float | None) -> NDArray[np.float64] | None:
    """Return the weight of each row in training, shape (n,): halved for every `half_life` months before the newest.

    Args:
        month: Month of each row, shape (n,).
        half_life: Months after which a row counts half; None: all count alike, and None is returned.
    """
    if half_life is None:
        return None
    month = np.asarray(month, dtype=np.float64)
    return np.asarray(0.5 ** ((month.max() - month) / half_life))


def grant(probability: ArrayLike, amount: ArrayLike, term: ArrayLike) -> NDArray[np.bool_]:
    """Return which loans to grant: those that are expected to earn something. Shape (n,)."""
    return np.asarray(np.asarray(probability) < break_even(amount, term))
