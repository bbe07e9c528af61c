"""Three questions to a release, none of which answers another one: who, from what, and whether.

The signature says who made it, the provenance from what, the gates whether it decides well.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from oakbank.deploy.gate import GateResult
from oakbank.pipelines import CreditModel
from oakbank.scale.supply.loading import RefusedError, load_model
from oakbank.scale.supply.signing import RELEASE, SignatureError, verify_release
from oakbank.world.files import write_text

PROVENANCE = "provenance.json"
REQUIRED = (*RELEASE, PROVENANCE)
Check = Callable[[CreditModel], GateResult]


def write_release(folder: Path, model: CreditModel, largest_risk: float, card: str, checks: pd.DataFrame) -> None:
    """Write all that a release says and decides by, to be signed as one.

    Args:
        folder: A new folder, or an empty one: what lies about would be signed too.
        model: What scores.
        largest_risk: The largest default probability at which a loan is granted.
        card: What a person must know of the model.
        checks: What was looked up of its labels, from `oakbank.scale.security.provenance.check_reports`.

    Raises:
        ValueError: The folder has files, or the risk is not between 0 and 1.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} has files already: write a release into a new folder")
    if not 0 < largest_risk < 1:
        raise ValueError(f"the largest risk must lie between 0 and 1, not {largest_risk}")
    columns = ("reported", "looked_up", "false")
    rows = {str(name): {key: int(row[key]) for key in columns} for name, row in checks.iterrows()}
    model.save(folder / "model.txt")
    write_text(folder / "policy.json", json.dumps({"largest_risk": largest_risk}))
    write_text(folder / "card.md", card)
    write_text(folder / PROVENANCE, json.dumps({"reporters": rows}, indent=1, sort_keys=True))


def labels_checked(folder: Path, least: int = 60) -> GateResult:
    """Say whether `least` labels of each reporter were looked up, all where it has fewer, and none was false."""
    try:
        told = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["reporters"]
        liars = [name for name, row in sorted(told.items()) if row["false"] > 0]
        unseen = [name for name, row in sorted(told.items()) if row["looked_up"] < min(least, row["reported"])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return GateResult("labels_checked", False, f"no record of checked labels in {folder}: {error}")
    faults = [f"{name} reported falsely" for name in liars]
    faults += [f"fewer than {least} labels of {name} were looked up" for name in unseen]
    passed = bool(told) and not faults
    return GateResult("labels_checked", passed, "; ".join(faults) or f"labels of {len(told)} reporters were looked up")


def admit(folder: Path, public: Path, signature: Path, checks: Sequence[Check]) -> list[GateResult]:
    """Ask a release who made it, from what, and whether it decides well.

    What is not signed is not loaded, so without a good signature no further question is asked.

    Args:
        folder: The release, with the files of `REQUIRED`.
        public: The key that the bank trusts.
        signature: What came with the release.
        checks: Take the loaded model.

    Returns:
        The answers. The release is admitted if all have passed.
    """
    try:
        files = verify_release(folder, public, signature, REQUIRED)
    except SignatureError as error:
        return [GateResult("signed", False, str(error))]
    answers = [GateResult("signed", True, f"{len(files)} files"), labels_checked(folder)]
    try:
        model = load_model(folder / "model.txt", digest=files["model.txt"])
    except RefusedError as error:
        return [*answers, GateResult("loads", False, str(error))]
    return [*answers, *(check(model) for check in checks)]
