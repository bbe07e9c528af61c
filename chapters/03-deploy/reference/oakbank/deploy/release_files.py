"""What a router keeps in its folder.

FOLDER/bundles/NAME/    model.lgb, bundle.json: model, cutoff and feature code, put in place whole, never changed
FOLDER/state.json       champion, the one before, and the release under way: written whole or not at all
"""

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from oakbank.deploy.release import NAME, Bundle, Release, ReleaseError, State
from oakbank.deploy.sequential import Rules
from oakbank.pipelines import CreditModel
from oakbank.world.files import write_json

FORMAT = 1
T = TypeVar("T")


def save_bundle(
    folder: str | Path, name: str, model: CreditModel, version: str, *, features: str = "v1", cutoff: float = 1.0
) -> Bundle:
    """Put a bundle in place, whole or not at all. The same once more changes nothing.

    Raises:
        ReleaseError: Another bundle has this name: a release is never changed.
    """
    folder = Path(folder)
    bundle = Bundle(name, version, model.digest, features, cutoff)
    target = folder / "bundles" / name
    scratch = folder / "bundles" / f".{name}.{secrets.token_hex(4)}.tmp"
    if not target.exists():
        try:
            model.save(scratch / "model.lgb")
            write_json(scratch / "bundle.json", {"format": FORMAT, **asdict(bundle)})
            scratch.replace(target)
        except OSError:
            if not target.exists():  # otherwise somebody else was quicker
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    if read_bundle(folder, name) != bundle:
        raise ReleaseError(f"there is another bundle {name} in {folder}: a release is never changed, take a new name")
    return bundle


def read_bundle(folder: Path, name: str) -> Bundle:
    """Read what a bundle consists of.

    Raises:
        ReleaseError: It is missing, broken or of another format.
    """
    return _read(folder / "bundles" / name / "bundle.json", lambda value: Bundle(**value), "save the bundle again")


def save_state(folder: Path, state: State) -> None:
    """Write the state whole or not at all."""
    write_json(folder / "state.json", {"format": FORMAT, **asdict(state)})


def read_state(folder: Path) -> State:
    """Read the state.

    Raises:
        ReleaseError: It is missing, broken or of another format.
    """
    return _read(folder / "state.json", _state, "set it anew with Router.create(folder, champion)")


def _state(value: dict[str, Any]) -> State:
    release = value.pop("release")
    if release is not None:
        release = Release(**release | {"rules": Rules(**release["rules"])})
    state = State(release=release, **value)
    names = [state.champion, *([state.previous] if state.previous is not None else [])]
    names += [release.challenger] if release is not None else []
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise ValueError("a bundle's name is missing")
    return state


def _read(path: Path, make: Callable[[dict[str, Any]], T], remedy: str) -> T:
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise ValueError("it holds no object")
        if (found := value.pop("format", None)) != FORMAT:
            raise ReleaseError(f"{path} has format {found!r}, and this code reads {FORMAT}: {remedy}")
        return make(value)
    except FileNotFoundError as error:
        raise ReleaseError(f"{path} is not there: {remedy}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ReleaseError(f"{path} is broken ({error}): {remedy}") from error
