"""What a model must show before it decides about customers, and the way back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from filelock import FileLock

from oakbank.pipelines import Evaluation, Registry, RegistryError, TrainingRun, evaluate_model

CHAMPION = "champion"
PREVIOUS = "previous"


@dataclass(frozen=True)
class GateResult:
    """The word of one gate."""

    name: str
    passed: bool
    detail: str


Gate = Callable[[Evaluation, Evaluation | None], GateResult]
"""Takes the challenger's and the champion's evaluation on the same hold-out (None: there is no champion yet)."""


def enough_rows(n: int = 500) -> Gate:
    """Return a gate: the hold-out has at least `n` rows."""

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        return GateResult("enough_rows", challenger.rows >= n, f"{challenger.rows} rows in the hold-out, {n} wanted")

    return gate


def not_worse_auc(tolerance: float = 0.02, floor: float = 0.6) -> Gate:
    """Return a gate: the challenger ranks at most `tolerance` AUC worse than the champion, never below `floor`.

    The floor is for the first model, and against a slow slide by one tolerance after the other.
    """

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        least = floor if champion is None else max(floor, champion.auc - tolerance)
        return GateResult("not_worse_auc", challenger.auc >= least, f"AUC {challenger.auc:.3f}, {least:.3f} wanted")

    return gate


def calibrated(tolerance: float = 0.03) -> Gate:
    """Return a gate: the mean predicted default probability is within `tolerance` of the default rate."""

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        gap = abs(challenger.mean_probability - challenger.default_rate)
        detail = f"predicted {challenger.mean_probability:.3f}, happened {challenger.default_rate:.3f}, "
        return GateResult("calibrated", gap <= tolerance, detail + f"at most {tolerance:g} apart wanted")

    return gate


def earns_more(min_gain: float = 0.0) -> Gate:
    """Return a gate: the challenger earns at least `min_gain` more than the champion.

    Args:
        min_gain: Share of the champion's profit (EUR); below 0 allows for a loss, such as -0.02.
    """

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        least = 0.0 if champion is None else champion.profit + min_gain * abs(champion.profit)
        detail = f"{challenger.profit:,.0f} EUR on the hold-out, {least:,.0f} wanted"
        return GateResult("earns_more", challenger.profit >= least, detail)

    return gate


DEFAULT_GATES: tuple[Gate, ...] = (enough_rows(), not_worse_auc(), calibrated(), earns_more(-0.05))
"""With room for noise: retrained in a world where nothing changes, a model is now a little better, now a little worse
than the champion. A test retrains so, and holds that these gates let it pass."""


@dataclass(frozen=True)
class Promotion:
    """What became of a challenger."""

    version: str
    promoted: bool
    """Whether it is the champion now."""
    results: list[GateResult]
    champion: str | None
    """The version it had to beat; None: there was none, or it was the champion already."""


def promote(registry: Registry, run: TrainingRun, gates: Sequence[Gate], approver: str) -> Promotion:
    """Let a registered training run pass the gates, and make it the champion if all of them agree.

    Both are measured on the run's hold-out: the challenger by its candidate, which never saw it, the champion as it
    is. (Where trainings follow each other faster than the hold-out is long, the champion has seen part of it: that
    favours the champion.) Results and approver are tagged on the version; the alias moves last, so that after a
    kill at any moment the same call ends the work, and once done it changes nothing.

    Raises:
        ValueError: The run has no version, there are no gates, or nobody approves.
        RegistryError: The champion cannot be loaded.
    """
    version = run.version
    if version is None:
        raise ValueError("the run has no version: register it first (registry.register(run))")
    if not gates or not approver.strip():
        raise ValueError("a promotion needs at least one gate and the name of its approver")
    with FileLock(registry.folder / ".promote.lock"):
        before = registry.alias(CHAMPION)
        tags = registry.tags(version)
        if before == version:
            saved = [GateResult(**result) for result in json.loads(tags.get("gates", "[]"))]
            return Promotion(version, True, saved, None)
        holdout = run.holdout()
        challenger = evaluate_model(run.candidate(), holdout)
        champion = None if before is None else evaluate_model(registry.load(before), holdout)
        results = [gate(challenger, champion) for gate in gates]
        if by := tags.get("rolled_back_by"):
            results.append(GateResult("not_rolled_back", False, f"{by} took this version back: train a new one"))
        passed = all(result.passed for result in results)
        registry.set_tag(version, "gates", json.dumps([asdict(result) for result in results]))
        registry.set_tag(version, "approver" if passed else "asked_by", approver)
        if passed:
            if before is not None:
                registry.set_alias(PREVIOUS, before)
            registry.set_alias(CHAMPION, version)
        return Promotion(version, passed, results, before)


def rollback(registry: Registry, approver: str) -> str:
    """Make the previous champion the champion again; return its version. Called again, it changes nothing.

    The version taken back is tagged with who did it, and `promote` refuses it from then on.

    Raises:
        ValueError: Nobody approves.
        RegistryError: There is no previous champion.
    """
    if not approver.strip():
        raise ValueError("a rollback needs the name of its approver")
    with FileLock(registry.folder / ".promote.lock"):
        champion, previous = registry.alias(CHAMPION), registry.alias(PREVIOUS)
        if champion is None or previous is None:
            raise RegistryError(f"there is no champion before this one ({champion}) to go back to")
        if champion != previous:
            registry.set_tag(champion, "rolled_back_by", approver)
            registry.set_alias(CHAMPION, previous)
        return previous
