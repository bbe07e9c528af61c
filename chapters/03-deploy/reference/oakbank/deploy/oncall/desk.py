"""The desk of whoever is on call: a clock, queries that take minutes, and acts that change what happens next."""

from collections.abc import Mapping
from typing import Any

from oakbank.deploy.oncall.bank import Bank, usual_bank
from oakbank.deploy.oncall.grammar import (
    ACTS,
    KINDS,
    LATE,
    OWNER,
    OWNER_PRICE,
    QUERIES,
    RATE,
    SHIFT,
    Drill,
)
from oakbank.deploy.oncall.night import Night
from oakbank.deploy.oncall.signals import ANSWERS


class DeskError(ValueError):
    """A move that the desk does not know; the message says what it takes."""


class Desk:
    """One drill, worked through move by move. What a policy may know is in `state`, as plain data.

    Args:
        drill: What is true.
        bank: Where it happens; None: `usual_bank`.
    """

    def __init__(self, drill: Drill, bank: Bank | None = None) -> None:
        self._night = Night(drill, bank or usual_bank())
        self._drill = drill
        self.minute = 0
        """Minutes since the alert."""
        self.over = False
        self.said = ""
        """The cause that was named at the end."""
        self.wrong: list[str] = []
        """Acts that were not called for."""
        self.euros = 0.0
        """Lost so far since the alert, EUR."""
        self._seen: list[dict[str, Any]] = []
        self._done: list[dict[str, Any]] = []

    @property
    def state(self) -> dict[str, Any]:
        """What is known: `alert`, `minute`, `seen` (queries with their answers, oldest first), `done` (acts)."""
        return {
            "alert": self._drill.alert,
            "minute": self.minute,
            "seen": [dict(one) for one in self._seen],
            "done": [dict(one) for one in self._done],
        }

    def step(self, move: Mapping[str, Any]) -> dict[str, Any]:
        """Make a move and return the new `state`.

        Args:
            move: `{"do": "query", "what": one of QUERIES}`, `{"do": "act", "what": one of ACTS, "target": ...}`,
                `{"do": "close", "cause": one of KINDS, "reason": text}`, or `{"do": "escalate"}`.

        Raises:
            DeskError: It is no such move, or the drill is over.
        """
        if self.over:
            raise DeskError("the drill is over: begin another one")
        moves = {"query": self._query, "act": self._act, "close": self._close, "escalate": self._escalate}
        if not isinstance(move, Mapping) or move.get("do") not in moves:
            raise DeskError(f'a move is a dict whose "do" is one of {", ".join(moves)}, not {move!r}')
        moves[move["do"]](move)
        if self.minute >= SHIFT:
            self.over = True
        return self.state

    def ask(self, what: str) -> Any:
        """Ask, and return the answer."""
        self.step({"do": "query", "what": what})
        return self._seen[-1]["answer"]

    def act(self, what: str, target: str = "") -> None:
        """Do something."""
        self.step({"do": "act", "what": what, "target": target})

    def close(self, cause: str, reason: str) -> None:
        """End the drill with a cause and a reason in words."""
        self.step({"do": "close", "cause": cause, "reason": reason})

    def wait(self, minutes: int) -> None:
        """Do nothing for some minutes."""
        self._pass(minutes)
        self.over = self.over or self.minute >= SHIFT

    def _pass(self, minutes: int) -> None:
        until = min(self.minute + minutes, SHIFT)
        for minute in range(self.minute, until):
            self.euros += RATE * self._night.loss(minute)
        self.minute = until

    def _query(self, move: Mapping[str, Any]) -> None:
        what = move.get("what")
        if what not in QUERIES:
            raise DeskError(f"no query {what!r}: ask for one of {', '.join(QUERIES)}")
        self._pass(QUERIES[what])
        answer = ANSWERS[what](self._night, self.minute)
        self._seen.append({"what": what, "minute": self.minute, "answer": answer})

    def _act(self, move: Mapping[str, Any]) -> None:
        what, target = move.get("what"), move.get("target") or ""
        if what not in ACTS:
            raise DeskError(f"no act {what!r}: choose one of {', '.join(ACTS)}")
        act = ACTS[what]
        if target not in (act.targets or ("",)):
            raise DeskError(f"{what} takes {' or '.join(act.targets) or 'no'} target, not {target!r}")
        self._pass(act.minutes)
        self._done.append({"what": what, "target": target, "minute": self.minute})
        if (what, target) != self._drill.right:
            self.wrong.append(f"{what} {target}".strip())
            self.euros += act.price
        self._night.act(what, target, self.minute)

    def _close(self, move: Mapping[str, Any]) -> None:
        cause, reason = move.get("cause"), move.get("reason")
        if cause not in KINDS:
            raise DeskError(f"no cause {cause!r}: name one of {', '.join(KINDS)}")
        if not isinstance(reason, str) or not reason.strip():
            raise DeskError("an alarm is closed with a reason: a text that the day shift can read")
        if any(one["what"] in self._drill.shown_by for one in self._seen):
            self.said = cause
        self._end()

    def _escalate(self, move: Mapping[str, Any]) -> None:
        self.euros += OWNER_PRICE
        self._pass(OWNER)
        self._night.act(*self._drill.right, self.minute)
        self._end()

    def _end(self) -> None:
        """Let what was not mended go on until the day shift comes."""
        self._pass(SHIFT - self.minute)
        self.over = True

    def bill(self) -> float:
        """Return what the drill has cost in EUR, with what was left to the day shift.

        Raises:
            DeskError: It is not over.
        """
        if not self.over:
            raise DeskError("a drill is priced when it is over")
        left = self._drill.right[0] == "retrain" and self._night.when("retrain") is None
        return self.euros + LATE * left
