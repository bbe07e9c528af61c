"""Load a model that somebody else made: nothing is imported that the loader's own list does not name.

A pickle is a program that builds objects, so a scanner that looks for known bad names always lacks one. MLflow reads
the types that a skops file may use from the `MLmodel` file beside it: the model brings its own permission. Here the
caller says what may come in, and no file adds to that.
"""

import hashlib
import io
import pickle
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import skops.io
import yaml
from skops.io.exceptions import UntrustedTypesFoundException

from oakbank.pipelines import CreditModel, ModelError

LOGISTIC: Final = frozenset(
    {
        "sklearn.linear_model._logistic.LogisticRegression",
        "numpy._core.multiarray._reconstruct",
        "numpy.ndarray",
        "numpy.dtype",
    }
)
"""What the pickle of a fitted `LogisticRegression` imports."""
SKOPS, PICKLE, LIGHTGBM = frozenset({".skops"}), frozenset({".pkl", ".pickle"}), frozenset({".txt"})


class RefusedError(RuntimeError):
    """A model file that is not let in: it asks for what nobody allowed, is damaged, or of an unknown format."""


class AllowedUnpickler(pickle.Unpickler):
    """Unpickles, and imports nothing but what a list names.

    Python's documentation calls this "Restricting Globals". What the list names is called with any arguments the
    pickle likes, so it must hold no function that writes, runs or loads.

    Args:
        content: The pickle.
        allowed: Names with their module, such as `numpy.ndarray`.
    """

    def __init__(self, content: bytes, allowed: Collection[str]) -> None:
        super().__init__(io.BytesIO(content))
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle asks for. Raises RefusedError: it is not on the list."""
        # A name with a dot walks through attributes: `numpy` and `f2py.capi_maps.open` is no part of numpy.
        if "." in name or f"{module}.{name}" not in self._allowed:
            raise RefusedError(f"{module}.{name} is not on the list: ask who made the file why it needs that")
        return super().find_class(module, name)


def load_model(path: Path, allowed: Collection[str] = (), digest: str | None = None) -> Any:
    """Load a model file, or a folder of MLflow, by the caller's own list.

    What is checked is what is loaded, also if somebody changes the file in between. The list bounds what runs, not the
    memory that it takes: a stranger's file belongs into a process with a limit, and a pickle not into the bank.

    Args:
        path: `.txt` (LightGBM's text, holds no code), `.skops`, `.pkl` or `.pickle`, or a folder with an `MLmodel`. Of
            that one only the model's file is taken, and never `skops_trusted_types`.
        allowed: Names with their module. For skops they are added to the types that skops itself trusts (estimators of
            scikit-learn, arrays), for a pickle there are no others.
        digest: The sha256 that the file must have, where it is known.

    Raises:
        RefusedError: It is missing, damaged, another file, or asks for more than the list.
    """
    file = _model_file(path) if path.is_dir() else path
    if not file.is_file():
        raise RefusedError(f"no model at {file}: name a file, or a folder with an MLmodel")
    content = file.read_bytes()
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise RefusedError(f"{file} is not the file that is wanted (its sha256 differs): fetch it again")
    try:
        if file.suffix in SKOPS:
            return skops.io.loads(content, trusted=sorted(allowed))
        if file.suffix in PICKLE:
            return AllowedUnpickler(content, allowed).load()
        if file.suffix in LIGHTGBM:
            return CreditModel.load(file, digest=hashlib.sha256(content).hexdigest())
    except UntrustedTypesFoundException as error:
        raise RefusedError(f"{file}: {error} None of them is on the loader's list") from error
    except ModelError as error:
        raise RefusedError(str(error)) from error
    except RefusedError:
        raise
    # Where a file is damaged decides what it raises: numpy's C code answers a flipped byte with a SystemError.
    except Exception as error:
        raise RefusedError(f"{file} is damaged ({error}): fetch it again") from error
    known = sorted(SKOPS | PICKLE | LIGHTGBM)
    raise RefusedError(f"{file.suffix or file.name} is none of {', '.join(known)}: have the model saved as .skops")


def _model_file(folder: Path) -> Path:
    # Nothing but the file's name is believed, and it must lie in the folder.
    try:
        told = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        file = folder / str(told["flavors"]["sklearn"]["pickled_model"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise RefusedError(f"{folder} has no MLmodel of scikit-learn: save it with mlflow.sklearn") from error
    if not file.resolve().is_relative_to(folder.resolve()):
        raise RefusedError(f"the MLmodel in {folder} names {file}, which is not in that folder")
    return file
