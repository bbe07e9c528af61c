"""One row at a time: LightGBM's fast single-row call, and the bank's score around it, without a data frame.

The call is a part of LightGBM's C interface that its Python package does not offer. It is told once what a row looks
like, and each call then costs a few microseconds; the Python package's `predict` checks everything anew.
"""

import ctypes
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm as lgb

from oakbank.pipelines import OAKBANK, CreditModel, ModelError
from oakbank.pipelines.contract import Score
from oakbank.pipelines.features import feature_row
from oakbank.world.economics import break_even_of_one

FLOAT32, NORMAL = 0, 0  # C_API_DTYPE_FLOAT32, C_API_PREDICT_NORMAL


def _library() -> ctypes.CDLL:
    """Return LightGBM's library; it is in memory already, so that this is the one that the package uses."""
    home = Path(lgb.__file__).parent
    names = [f"{folder}lib_lightgbm.{ending}" for folder in ("lib/", "bin/", "") for ending in ("so", "dylib", "dll")]
    for path in (home / name for name in names):
        if path.is_file():
            return ctypes.CDLL(str(path))
    raise ModelError(f"no library of LightGBM in {home}: install lightgbm again")


class _Library:
    """LightGBM's C functions, each of which says by a number whether it failed."""

    def __init__(self) -> None:
        self.functions = _library()
        self.functions.LGBM_GetLastError.restype = ctypes.c_char_p

    def __call__(self, function: str, *arguments: Any) -> None:
        if getattr(self.functions, function)(*arguments):
            raise ModelError(f"{function}: {self.functions.LGBM_GetLastError().decode()}")


class _Handle:
    """One thread's place for a row and its answer."""

    def __init__(self, library: _Library, booster: ctypes.c_void_p, columns: int, rounds: int) -> None:
        self.library, self.config, self.answer = library, ctypes.c_void_p(), ctypes.c_double()
        floats = struct.Struct(f"{columns}f")  # rounds to single precision as NumPy does
        self.row = ctypes.create_string_buffer(floats.size)
        self.pack = floats.pack_into
        library(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            *(booster, NORMAL, 0, rounds, FLOAT32, columns, b"num_threads=1", ctypes.byref(self.config)),
        )
        self.call = library.functions.LGBM_BoosterPredictForMatSingleRowFast
        length = ctypes.c_int64()
        self.arguments = (self.config, ctypes.byref(self.row), ctypes.byref(length), ctypes.byref(self.answer))

    def __del__(self) -> None:
        if self.config:
            self.library.functions.LGBM_FastConfigFree(self.config)


class SingleRow:
    """A model, for one row at a time. LightGBM's call is not safe across threads, so each has a handle of its own.

    Args:
        model: The model; its answers are `model.predict_matrix`'s, to the last bit.

    Raises:
        ModelError: LightGBM refuses the model.
    """

    def __init__(self, model: CreditModel) -> None:
        self._library, self._booster, self._own = _Library(), ctypes.c_void_p(), threading.local()
        text = model.booster.model_to_string(num_iteration=-1).encode()
        rounds = ctypes.c_int()
        self._library("LGBM_BoosterLoadModelFromString", text, ctypes.byref(rounds), ctypes.byref(self._booster))
        self._shape = len(model.spec.feature_names), model.booster.best_iteration

    def predict(self, row: Sequence[float]) -> float:
        """Return the default probability of one row.

        Args:
            row: From `feature_row`.

        Raises:
            ModelError: LightGBM fails.
        """
        try:
            handle = self._own.handle
        except AttributeError:
            handle = self._own.handle = _Handle(self._library, self._booster, *self._shape)
        handle.pack(handle.row, 0, *row)
        if handle.call(*handle.arguments):
            raise ModelError(f"LightGBM: {self._library.functions.LGBM_GetLastError().decode()}")
        return float(handle.answer.value)

    def __del__(self) -> None:
        if self._booster:
            self._library.functions.LGBM_BoosterFree(self._booster)


class RowScorer:
    """Scores one validated application as `oakbank.pipelines.contract.score` does, to the last bit, as an array.

    Args:
        model: A model of Oakbank's own applications.
        version: What each score calls it.

    Raises:
        ModelError: The model is of other data.
    """

    def __init__(self, model: CreditModel, version: str) -> None:
        if model.spec is not OAKBANK:
            raise ModelError(f"the model scores {model.spec.name} data: rows are of Oakbank's own applications")
        self.version = version
        self._predict = SingleRow(model).predict

    def score(self, application: Any) -> Score:
        """Return the score of an `oakbank.pipelines.contract.Application`."""
        values = application.__dict__
        probability = self._predict(feature_row(values))
        limit = break_even_of_one(values["amount"], values["term"])
        return Score(
            application_id=values["application_id"],
            default_probability=probability,
            granted=probability < limit,
            break_even=limit,
            model_version=self.version,
        )
