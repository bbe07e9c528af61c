"""The Oakbank router: shadow, canary with a baseline of its size, blue/green, and the way back."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock

from oakbank.deploy import release as steps
from oakbank.deploy.arms import FEATURE_CODE, Features, Loaded, RoutedScore, Shadow, Trial, applicant_of, load
from oakbank.deploy.assignment import Arm, arm_of, place
from oakbank.deploy.release import Release, ReleaseError, State
from oakbank.deploy.release_files import read_bundle, read_state, save_state
from oakbank.deploy.sequential import Counts, Verdict, judge
from oakbank.pipelines.contract import Application
from oakbank.world.files import write_json

log = logging.getLogger("oakbank.deploy")

SAVE_EVERY = 50
"""Answers of a trial after which its counts are written down. A kill loses fewer, which can only delay a stop."""


class Router:
    """Answers applications as the state in a folder says, counts what it answers, and stops a canary that does harm.

    It reads the state again at `refresh`, so that people can act from another process. A state or bundle that cannot
    be read changes nothing: the last champion answers. The registry is asked for nothing.

    Args:
        folder: Of `oakbank.deploy.release`; it may appear later.
        features: Feature code by name.
    """

    def __init__(self, folder: str | Path, features: Mapping[str, Features] = FEATURE_CODE) -> None:
        self.folder = Path(folder)
        self.problem = ""
        """Why the last refresh failed; "" if it did not."""
        self.trial = Trial()
        self._features = features
        self._now: tuple[State | None, Mapping[Arm, Loaded]] = (None, {})
        self._trial_arms: Mapping[Arm, Loaded] = {}
        self._trial_salt = ""
        self._seen: set[float] = set()
        self._lock = Lock()
        self._stopped: dict[str, str] = {}  # by salt: stopped here, whether or not the disk took it
        self.refresh()

    @staticmethod
    def create(folder: str | Path, champion: str) -> None:
        """Write the first state of a router: a champion, nothing else. An existing one is replaced."""
        read_bundle(Path(folder), champion)
        save_state(Path(folder), State(champion))

    @property
    def state(self) -> State | None:
        """The state that it follows; None: it has never seen one."""
        return self._now[0]

    @property
    def loaded(self) -> Loaded | None:
        """The champion."""
        return self._now[1].get("champion")

    def refresh(self) -> None:
        """Follow the state in the folder; on any fault keep what is there, and tell it in `problem`."""
        with self._lock:
            try:
                state = read_state(self.folder)
                self._follow(state)
                self.problem = ""
            except (ReleaseError, OSError) as error:
                if str(error) != self.problem:
                    log.warning("%s", error)
                self.problem = str(error)

    def _follow(self, state: State) -> None:
        running = state.running
        if running is not None and running.salt in self._stopped:  # the disk has not taken it yet
            state = self._change(_stop(running, self._stopped[running.salt]))
            running = state.running
        champion = self.loaded
        if champion is None or champion.version != state.champion:
            champion = load(self.folder, state.champion, self._features)
        arms: dict[Arm, Loaded] = {"champion": champion}
        if state.release is not None and self.trial.salt != state.release.salt:
            self.trial, self._seen = self._saved(state.release.salt), set()
        self._now = state, arms  # whatever the challenger is like, the champion answers
        if running is None:
            return
        if self._trial_arms.get("canary") is None or self._trial_salt != running.salt:
            # The baseline is loaded now, like the canary: a champion that has run for weeks differs by its age, too.
            self._trial_arms = {
                "canary": load(self.folder, running.challenger, self._features),
                "baseline": load(self.folder, state.champion, self._features),
            }
            self._trial_salt = running.salt
        self._now = state, {**arms, **self._trial_arms}

    def answer(self, application: Application) -> RoutedScore:
        """Answer one application by its arm; if the canary fails, by the champion.

        Raises:
            ReleaseError: No champion is loaded.
        """
        state, arms = self._now
        if state is None or "champion" not in arms:
            raise ReleaseError(self.problem or "no champion is loaded")
        running = state.running
        if running is None or running.mode == "shadow" or running.salt in self._stopped:
            return arms["champion"].score(application)
        applicant = applicant_of(application)
        arm = arm_of(applicant, running.salt, running.share)
        if arm == "champion" or arm not in arms:
            return arms["champion"].score(application)
        begin = time.perf_counter()
        try:
            score = arms[arm].score(application)
        except Exception:  # whatever the challenger's code raises: the applicant is not to suffer from it
            log.exception("%s failed as %s", arms[arm].version, arm)
            self.record(running, arm, applicant, Counts(answered=1, failed=1))
            return arms["champion"].score(application)
        slow = time.perf_counter() - begin > running.rules.slow_seconds
        seen = Counts(1, 0, int(slow), int(not score.granted), int(score.granted))
        self.record(running, arm, applicant, seen)
        return score

    def shadow(self, application: Application, given: RoutedScore) -> None:
        """Have a challenger in shadow answer, too, and compare. Call it after the answer has left."""
        state, arms = self._now
        if state is None or state.running is None or state.running.mode != "shadow" or "canary" not in arms:
            return
        failed = differ = False
        try:
            differ = arms["canary"].score(application).granted != given.granted
        except Exception:
            log.exception("%s failed in shadow", arms["canary"].version)
            failed = True
        with self._lock:
            old = self.trial.shadow
            told = Shadow(old.compared + (not failed), old.differ + differ, old.failed + failed)
            self.trial = replace(self.trial, shadow=told)
            self._save(told.compared + told.failed)

    def record(self, running: Release, arm: Arm, applicant: str, seen: Counts) -> Verdict | None:
        """Count an answer of a trial, look at the evidence, and stop the release if it says so.

        Each applicant is counted once (once more after a restart): the coin is drawn for applicants, and who asks
        again would fall on the same side again.
        """
        with self._lock:
            at = place(applicant, running.salt)
            if self.trial.salt != running.salt or running.salt in self._stopped or at in self._seen:
                return None
            self._seen.add(at)
            self.trial = replace(self.trial, **{arm: getattr(self.trial, arm) + seen})
            verdict = judge(self.trial.canary, self.trial.baseline, running.rules)
            if verdict.says == "abort":
                self._stopped[running.salt] = verdict.reason  # first of all here: a full disk must not keep it going
                log.warning("stopped %s: %s", running.challenger, verdict.reason)
                self._write(lambda: self._follow(read_state(self.folder)))
            self._save(0 if verdict.says == "abort" else self.trial.canary.answered + self.trial.baseline.answered)
            return verdict

    def verdict(self) -> Verdict:
        """Say what the evidence of the last trial is."""
        release = None if self.state is None else self.state.release
        if release is None:
            return Verdict("no data", "no release was started")
        if release.mode == "shadow":
            told = self.trial.shadow
            if told.compared + told.failed < release.rules.least:
                return Verdict("too little data", f"{told.compared} compared; {release.rules.least} wanted")
            detail = f"{told.differ} of {told.compared} decisions differ, {told.failed} failed"
            return Verdict("nothing found", detail + ": a person must say what that means")
        return judge(self.trial.canary, self.trial.baseline, release.rules)

    def change(self, step: Callable[[State], State]) -> State:
        """Take a step of `oakbank.deploy.release` on the state, write it, follow it.

        The bundles that it needs are loaded first: what cannot be loaded is refused, and nothing changes.

        Raises:
            ReleaseError: The state does not allow it, or a bundle cannot be loaded.
            OSError: The state cannot be written.
        """
        with self._lock:
            state = self._change(step)
            self._follow(state)
            return state

    def promote(self, by: str) -> State:
        """Make the challenger the champion, on a person's word, and only if it was seen at work.

        Raises:
            ReleaseError: No release is under way, or its data do not say anything yet.
        """
        verdict = self.verdict()
        if verdict.says != "nothing found":
            raise ReleaseError(f"nobody has seen enough of this release to promote it ({verdict.reason})")
        return self.change(lambda state: steps.promote(state, by))

    def _change(self, step: Callable[[State], State]) -> State:
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".state.lock", timeout=10):
            before = read_state(self.folder)
            after = step(before)
            for name in {after.champion, *([after.running.challenger] if after.running else [])}:
                load(self.folder, name, self._features)
            if after != before:
                save_state(self.folder, after)
        return after

    def _saved(self, salt: str) -> Trial:
        try:
            value: dict[str, Any] = json.loads((self.folder / "counts.json").read_bytes())
            counts = {arm: Counts(**value[arm]) for arm in ("canary", "baseline")}
            trial = Trial(str(value["salt"]), **counts, shadow=Shadow(**value["shadow"]))
        except (OSError, ValueError, TypeError, KeyError):  # none, or not ours: evidence begins anew
            return Trial(salt)
        return trial if trial.salt == salt else Trial(salt)

    def _save(self, count: int) -> None:
        if count % SAVE_EVERY == 0:
            self._write(lambda: write_json(self.folder / "counts.json", asdict(self.trial)))

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, ReleaseError) as error:  # told, and tried again at the next refresh; serving goes on
            self.problem = f"cannot write to {self.folder} ({error}): make room; the champion answers"
            log.warning("%s", self.problem)


def _stop(release: Release, reason: str) -> Callable[[State], State]:
    """Return the step that stops a release, unless a person has ended it meanwhile."""

    def step(state: State) -> State:
        running = state.running
        return state if running is None or running.salt != release.salt else steps.abort(state, reason)

    return step
