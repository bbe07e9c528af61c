"""A model for machines that the bank does not reach at will: exported within stated bounds, and with a last day."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import pandas as pd

from oakbank.deploy.onnx_runtime import MAX_DIFFERENCE, OnnxModel
from oakbank.pipelines import CreditModel, ModelError, feature_matrix, grant
from oakbank.world import DECISIONS, table_of
from oakbank.world.files import whole

MAX_FLIPS = 1e-3
"""Largest share of decisions that may differ from the model's: one in a thousand, with a confidence of `SURE`."""
SURE = 0.95


class ExpiredError(RuntimeError):
    """A bundle that may not decide on this day; the message says what to do."""


@dataclass(frozen=True)
class Faithfulness:
    """How far an exported model is from the one that it was made from, as measured at export."""

    rows: int
    difference: float
    """Largest difference in default probability, over the applications and over rows around every split."""
    flips: int
    """Applications that one of the two grants and the other declines."""
    flips_at_most: float
    """The share of decisions that differ is below this, with a confidence of `SURE`; no flip in n rows allows 3 / n."""


@dataclass(frozen=True)
class EdgeBundle:
    """A model, its version and its days in one file, which only needs ONNX Runtime. Make it with `export` or `load`."""

    model: OnnxModel
    content: bytes
    """The ONNX file; what else is here stands in its metadata."""
    version: str
    made: date
    expires: date
    """The last day on which it decides."""
    checked: Faithfulness

    @property
    def sha256(self) -> str:
        """The sha256 of the file, to be sent another way than the file."""
        return hashlib.sha256(self.content).hexdigest()

    @classmethod
    def load(cls, path: str | Path, sha256: str | None = None) -> "EdgeBundle":
        """Read a bundle that `save` wrote.

        Args:
            path: The file.
            sha256: What the file must have, where it is known. Without it a changed number is not found.

        Raises:
            ModelError: The file is missing or damaged, is not the one wanted, or is no bundle.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"no bundle at {path}: connect to head office and fetch it")
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ModelError(f"{path} is not the bundle that is wanted (its sha256 differs): fetch it again")
        return cls.from_bytes(content)

    @classmethod
    def from_bytes(cls, content: bytes) -> "EdgeBundle":
        """Make a bundle from the bytes of its file.

        Raises:
            ModelError: As in `load`.
        """
        model = OnnxModel.from_bytes(content)
        found = model.session.get_modelmeta().custom_metadata_map
        try:
            days = (date.fromisoformat(found["made"]), date.fromisoformat(found["expires"]))
            checked = Faithfulness(**json.loads(found["checked"]))
            return cls(model, content, found["version"], *days, checked)
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(
                f"an ONNX model, but no bundle ({error!r}): make it with oakbank.deploy.edge.export"
            ) from None

    def save(self, path: str | Path) -> None:
        """Write the bundle whole or not at all."""
        with whole(Path(path)) as stream:
            stream.write(self.content)

    def decide(self, applications: pd.DataFrame, today: date) -> pd.DataFrame:
        """Decide applications, or refuse to; columns as `oakbank.world.DECISIONS`, in the order of the applications.

        Args:
            applications: With the columns of `oakbank.world.COLUMNS`.
            today: By the clock of the machine that decides.

        Raises:
            ExpiredError: The last day has passed, or the clock is before the day on which the bundle was made.
        """
        self.check_day(today)
        probability = self.model.predict(applications)
        values = {
            "application_id": applications["application_id"],
            "granted": grant(probability, applications["amount"], applications["term"]),
            "default_probability": probability,
            "model_version": self.version,
            "month": applications["month"],
            "reason": "",
        }
        return table_of(DECISIONS, values)

    def check_day(self, today: date) -> None:
        """Refuse a day on which the bundle may not decide.

        Raises:
            ExpiredError: As in `decide`.
        """
        if today > self.expires:
            raise ExpiredError(
                f"version {self.version} expired on {self.expires}, today is {today}: connect to head office for a "
                "newer one; until then a person decides"
            )
        if today < self.made:
            raise ExpiredError(
                f"the clock says {today}, version {self.version} was made on {self.made}: set the clock; "
                "until then a person decides"
            )


def compare(model: CreditModel, exported: OnnxModel, applications: pd.DataFrame) -> Faithfulness:
    """Measure how faithful an exported model is.

    Args:
        model: The model of the registry.
        exported: Made from it.
        applications: Rows such as those that it will decide, with `amount` and `term`; shape (n, columns), n above 0.

    Raises:
        ModelError: There are no applications.
    """
    if applications.empty:
        raise ModelError("no applications to compare on: give some months of the lake")
    matrix = feature_matrix(applications, model.spec)
    before, after = model.predict_matrix(matrix), exported.predict_matrix(matrix)
    amount, term = applications["amount"], applications["term"]
    flips = int((grant(before, amount, term) != grant(after, amount, term)).sum())
    difference = max(exported.difference, float(np.abs(before - after).max()))
    return Faithfulness(len(applications), difference, flips, share_at_most(flips, len(applications)))


def share_at_most(count: int, rows: int, sure: float = SURE) -> float:
    """Return the upper bound of a share of which a sample of `rows` showed `count`, with confidence `sure`.

    The exact one of C. J. Clopper and E. S. Pearson, *Biometrika* 26 (1934). Shares are 0 to 1.
    """
    from scipy.stats import beta  # here: a branch that only loads a bundle does without SciPy

    return 1.0 if count >= rows else float(beta.ppf(sure, count + 1, rows - count))


def export(
    model: CreditModel,
    applications: pd.DataFrame,
    *,
    version: str,
    made: date,
    expires: date,
    max_difference: float = MAX_DIFFERENCE,
    max_flips: float = MAX_FLIPS,
) -> EdgeBundle:
    """Export a model for the edge, or refuse to. The same model and days give the same bytes.

    Args:
        model: Of the registry.
        applications: As in `compare`; 2,995 or more, or the bound on the flips cannot be shown.
        version: Of the model in the registry.
        made: Today.
        expires: The last day on which the bundle may decide.
        max_difference: Of default probabilities.
        max_flips: Share of decisions.

    Raises:
        ModelError: A bound is exceeded, or cannot be shown with so few applications.
        ValueError: It would expire before it is made.
    """
    if expires < made:
        raise ValueError(f"made on {made}, expires on {expires}: give a later last day")
    exported = OnnxModel.from_model(model)
    checked = compare(model, exported, applications)
    if not checked.difference < max_difference:
        raise ModelError(f"probabilities differ by up to {checked.difference:.2g}, {max_difference:g} is allowed")
    if checked.flips_at_most > max_flips:
        raise ModelError(
            f"{checked.flips} of {checked.rows} decisions differ, so up to {checked.flips_at_most:.2%} may; "
            f"{max_flips:.2%} is allowed: compare on more applications, or look at those that flip"
        )
    graph = onnx.load_from_string(exported.content)
    told = {"version": version, "made": made.isoformat(), "expires": expires.isoformat()}
    told |= {"checked": json.dumps(vars(checked)), "features": json.dumps(model.spec.feature_names)}
    for key, value in told.items():
        graph.metadata_props.add(key=key, value=value)
    return EdgeBundle.from_bytes(graph.SerializeToString())
