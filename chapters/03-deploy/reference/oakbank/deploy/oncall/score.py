"""How well a policy works drills: EUR, causes, wrong acts. A drill is worth the same whatever its fault costs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oakbank.deploy.oncall.desk import Desk, DeskError
from oakbank.deploy.oncall.grammar import ACTS, PAR, SHIFT, Drill

Policy = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Takes a desk's `state`, returns the next move."""
MOVES = 30
"""After so many moves, a policy that goes on in circles is stopped."""
WORTH = 5_000.0
"""EUR: where the best is worth less than this more than doing nothing, the money says nothing of a policy."""


@dataclass(frozen=True)
class Result:
    """What became of a drill."""

    drill: Drill
    minutes: int
    """When the policy had done with it; at most `SHIFT`."""
    euros: float
    """What it cost."""
    said: str
    """The cause; "": none, or one that no answer had shown."""
    wrong: tuple[str, ...]
    """Acts that were not called for."""

    @property
    def right(self) -> bool:
        """Whether the cause is right."""
        return self.said == self.drill.cause

    @property
    def score(self) -> float | None:
        """100: as the par, 0: as doing nothing, at least -100; None: nothing is to be won."""
        nothing, par = anchors(self.drill)
        return None if nothing - par < WORTH else max(-100.0, 100 * (nothing - self.euros) / (nothing - par))


def play(policy: Policy, drill: Drill) -> Result:
    """Work a drill by a policy.

    Raises:
        DeskError: It makes a move that the desk does not know, or does not come to an end.
    """
    return play_side_by_side(lambda states: [policy(state) for state in states], [drill])[0]


def play_side_by_side(
    policy: Callable[[list[dict[str, Any]]], Sequence[Mapping[str, Any]]], drills: Iterable[Drill]
) -> list[Result]:
    """Work drills by a policy that takes the states of all that are still open, and returns a move for each.

    The results are those of `play`, one drill after another; where a call is dear, there are fewer of them.

    Raises:
        DeskError: As `play`.
    """
    desks = [(drill, Desk(drill)) for drill in drills]
    for _ in range(MOVES):
        going = [desk for _, desk in desks if not desk.over]
        if not going:
            break
        for desk, move in zip(going, policy([desk.state for desk in going]), strict=True):
            desk.step(move)
    for _, desk in desks:
        if not desk.over:
            raise DeskError(f"after {MOVES} moves the drill is still open, in minute {desk.minute}: close it")
    return [Result(drill, desk.minute, desk.bill(), desk.said, tuple(desk.wrong)) for drill, desk in desks]


def anchors(drill: Drill) -> tuple[float, float]:
    """Return what a drill costs in EUR if nobody does anything, and by the par: the right act after `PAR` minutes."""
    idle = Desk(drill)
    idle.wait(SHIFT)
    what, target = drill.right
    if not what:
        return idle.bill(), idle.bill()
    good = Desk(drill)
    good.wait(PAR)
    good.act(what, target)
    good.wait(SHIFT)
    return idle.bill(), good.bill()


def summary(results: Iterable[Result]) -> dict[str, float]:
    """Return `euros` (the mean score of drills where something is to be won), `causes` (share), `wrong` (acts a drill).

    Raises:
        ValueError: There is no result.
    """
    all_ = list(results)
    if not all_:
        raise ValueError("no drill was worked: there is nothing to sum up")
    scores = [score for one in all_ if (score := one.score) is not None]
    return {
        "euros": sum(scores) / max(len(scores), 1),
        "causes": sum(one.right for one in all_) / len(all_),
        "wrong": sum(len(one.wrong) for one in all_) / len(all_),
    }


def zoo() -> dict[str, Policy]:
    """Return policies that must not pass: each is a habit that one meets."""

    def after(queries: Sequence[str], last: Sequence[Mapping[str, Any]]) -> Policy:
        moves = [{"do": "query", "what": what} for what in queries] + [dict(one) for one in last]
        return lambda state: moves[min(len(state["seen"]) + len(state["done"]), len(moves) - 1)]

    def close(cause: str) -> Mapping[str, Any]:
        return {"do": "close", "cause": cause, "reason": "as always"}

    rollback = {"do": "act", "what": "rollback"}
    everything = [{"do": "act", "what": what, "target": (act.targets or ("",))[0]} for what, act in ACTS.items()]
    return {
        "close at once": after([], [close("chance")]),
        "always chance": after(["metrics", "inputs"], [close("chance")]),
        "always rollback": after(["releases"], [rollback, close("release")]),
        "act before asking": after([], [rollback, {"do": "query", "what": "logs"}, close("release")]),
        "always page": after([], [{"do": "escalate"}]),
        "always the feed": after(["inputs"], [{"do": "act", "what": "repair", "target": "debts"}, close("feed")]),
        "everything at once": after([], [*everything, close("chance")]),
    }
