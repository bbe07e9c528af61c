"""What a model must show before it decides about customers, and the way back.

MLflow's alias is a pointer that whoever may write can move, whatever it points to by then. `promote` adds what a bank
needs: gates, a lock, a check that the champion is still the one that was beaten, four eyes, and a budget of looks at
the hold-out.
"""

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from oakbank.deploy.exclusive import exclusive, reachable
from oakbank.deploy.holdout import LOOKS, MOST, record_look
from oakbank.pipelines import Evaluation, Registry, RegistryError, TrainingRun, evaluate_model
from oakbank.world.files import file_hash

CHAMPION = "champion"
PREVIOUS = "previous"
ANY: Final = "*"
"""Whoever is the champion when a promotion begins, as `If-Match: *` says it in HTTP (RFC 9110, 13.1.1)."""
LONGEST_NAME = 200


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


def promote(
    registry: Registry,
    run: TrainingRun,
    gates: Sequence[Gate],
    approver: str,
    *,
    expected: str | None = ANY,
    looks: int = LOOKS,
) -> Promotion:
    """Let a registered training run pass the gates, and make it the champion if all of them agree.

    Both are measured on the run's hold-out: the challenger by its candidate, which never saw it, the champion as it
    is. (Where trainings follow each other faster than the hold-out is long, the champion has seen part of it: that
    favours the champion.) Measuring takes long and holds no lock; if another champion is there afterwards, the
    challenger is refused, for it has beaten the wrong one. Results and approver are tagged on the version; the alias
    moves last, so that after a kill at any moment the same call ends the work, and once done it changes nothing.

    Args:
        registry: Where the run's version is.
        run: As `registry.register` returned it. Who trained it is its tag `author`: `register(run, author="ada")`.
        gates: What it must pass.
        approver: Who lets it in. May not be the author; whether it is really them is for a login to say.
        expected: Version of the champion that the approver saw it measured against; None: there was none.
        looks: How many training runs may be judged on one hold-out.

    Raises:
        ValueError: The run has no version, there are no gates, nobody approves, or another argument makes no sense.
        TypeError: A gate returned no `GateResult`.
        OSError: The hold-out cannot be read.
        RegistryError: The champion cannot be loaded, or the registry cannot be reached. Who is champion is not changed.
    """
    version = run.version
    if version is None:
        raise ValueError("the run has no version: register it first (registry.register(run))")
    if not gates:
        raise ValueError("a promotion needs at least one gate and the name of its approver")
    _check_name(approver, "a promotion")
    if expected is not None and expected != ANY and not (isinstance(expected, str) and expected.isdecimal()):
        raise ValueError(f"expected is a version such as '3', None for no champion, or ANY, not {expected!r}")
    if not (isinstance(looks, int) and 1 <= looks < MOST):
        raise ValueError(f"looks must be a whole number from 1 to {MOST - 1}, not {looks!r}")
    digest = file_hash(run.holdout_path)
    with exclusive(registry):
        before, tags = registry.alias(CHAMPION), registry.tags(version)
        if before == version:
            return _done(version, tags)
        results = [four_eyes(tags.get("author"), approver)]
        if expected != ANY:
            results.append(_still_champion(expected, before))
        if all(result.passed for result in results):  # what is refused anyway needs no look
            results.append(_few_looks(record_look(registry, version, digest), looks))
    if all(result.passed for result in results):
        results += _measured(registry, run, gates, before)
    with exclusive(registry):
        if by := registry.tags(version).get("rolled_back_by"):  # asked only now: it may have happened meanwhile
            results.append(GateResult("not_rolled_back", False, f"{by} took this version back: train a new one"))
        now = registry.alias(CHAMPION)
        if now == version:  # the same call, made twice at once
            return _done(version, registry.tags(version))
        if now != before:
            results.append(_still_champion(before, now))
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
        RegistryError: There is no previous champion, or the registry cannot be reached.
    """
    _check_name(approver, "a rollback")
    with exclusive(registry):
        champion, previous = registry.alias(CHAMPION), registry.alias(PREVIOUS)
        if champion is None or previous is None:
            raise RegistryError(f"there is no champion before this one ({champion}) to go back to")
        if champion != previous:
            registry.set_tag(champion, "rolled_back_by", approver)
            registry.set_alias(CHAMPION, previous)
        return previous


def _done(version: str, tags: dict[str, str]) -> Promotion:
    return Promotion(version, True, [GateResult(**result) for result in json.loads(tags.get("gates", "[]"))], None)


def _measured(registry: Registry, run: TrainingRun, gates: Sequence[Gate], champion: str | None) -> list[GateResult]:
    holdout = run.holdout()
    new = evaluate_model(run.candidate(), holdout)
    old = None
    if champion is not None:
        with reachable(registry):
            beaten = registry.load(champion)
        old = evaluate_model(beaten, holdout)
    results = [gate(new, old) for gate in gates]
    for result in results:
        if not isinstance(result, GateResult):
            raise TypeError(f"a gate returned {result!r}: return a GateResult")
    # NumPy's bool is no JSON.
    return [GateResult(result.name, bool(result.passed), result.detail) for result in results]


def _check_name(approver: str, what: str) -> None:
    if not isinstance(approver, str) or not approver.strip():
        raise ValueError(f"{what} needs the name of its approver")
    if len(approver) > LONGEST_NAME or not approver.isprintable():
        raise ValueError(f"the approver's name must be one line of at most {LONGEST_NAME} characters")


def _plain(name: str) -> str:
    """Return a name as the same person may have typed it elsewhere."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def same_person(one: str, other: str) -> bool:
    """Return whether two names are one person's, however they were typed: four eyes need two people."""
    return _plain(one) == _plain(other)


def four_eyes(author: str | None, approver: str) -> GateResult:
    """Say whether author and approver of a version are two people; an author who is not named cannot be compared."""
    if not author:
        return GateResult("four_eyes", True, f"{approver} approves; nobody is named as the author of the training")
    if same_person(author, approver):
        return GateResult("four_eyes", False, f"{author} trained this version: somebody else has to approve it")
    return GateResult("four_eyes", True, f"{author} trained it, {approver} approves")


def _still_champion(expected: str | None, now: str | None) -> GateResult:
    was, there = (f"version {one}" if one else "no champion" for one in (expected, now))
    detail = f"measured against {was}, and the champion is {there}"
    if expected != now:
        detail += ": measure against that one, then ask again"
    return GateResult("expected_champion", expected == now, detail)


def _few_looks(seen: int, budget: int) -> GateResult:
    detail = f"{seen} training runs were judged on this hold-out, {budget} at most wanted"
    if seen > budget:
        detail += ": take a fresh hold-out, the best on this one is partly lucky"
    return GateResult("few_looks", seen <= budget, detail)
