# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["modelscan", "numpy", "scikit-learn"]
# ///
"""Tour of modelscan: what a scanner with a list of forbidden names says of three pickles, of which two act.

    python3 bootstrap.py tour modelscan

It holds back rich and tomlkit of the course's environment, so it has one of its own. The payloads write one line into
a file of a temporary folder, and do no more.
"""

import os
import pickle
import sys
import tempfile
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from modelscan.modelscan import ModelScan  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from course.tour import Tour  # noqa: E402

MARKER = "ran.txt"


class Note:
    """What a pickle calls when it is loaded."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Return what is called instead of building a note."""
        return self.call


def files() -> dict[str, Path]:
    """Write an honest model and two that act, one by a name that is well known."""
    model = LogisticRegression().fit(np.arange(20.0).reshape(-1, 1), np.arange(20) > 9)
    notes = {
        "honest": None,
        "os.system": Note(os.system, f"echo 1 > {MARKER}"),
        "numpy.savetxt": Note(np.savetxt, MARKER, [1]),
    }
    paths = {}
    for name, note in notes.items():
        model.note = note
        paths[name] = Path(f"{name}.pkl")
        paths[name].write_bytes(pickle.dumps(model))
    return paths


def acts(path: Path) -> bool:
    """Load a file, and say whether it acted."""
    pickle.loads(path.read_bytes())  # noqa: S301
    acted = Path(MARKER).exists()
    Path(MARKER).unlink(missing_ok=True)
    return acted


def solve(paths: dict[str, Path]) -> dict[str, list[str]]:
    """Return the severities of the issues that modelscan reports of each file."""
    found = {}
    for name, path in paths.items():
        report = ModelScan().scan(path)
        assert not report["errors"], report["errors"]
        found[name] = [issue["severity"] for issue in report["issues"]]
    return found


def main() -> None:
    """Run the tour."""
    tour = Tour("modelscan", "modelscan")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        paths = files()
        acted = tour.plain("loading the files", lambda: {name: acts(path) for name, path in paths.items()})
        found = tour.system_does(partial(solve, paths))
        os.chdir(ROOT)
    for name in paths:
        tour.say(f"{name}: {', '.join(found[name]) or 'no issues found'}; {'acted' if acted[name] else 'did nothing'}")
    assert acted == {"honest": False, "os.system": True, "numpy.savetxt": True}
    assert found == {"honest": [], "os.system": ["CRITICAL"], "numpy.savetxt": []}
    tour.say("The scanner knows os.system and not numpy.savetxt, and calls what it does not know no issue.")
    tour.end(
        stores="nothing; the report is a dict, or JSON with `--reporting-format json`",
        asks="a list of forbidden names in its settings, which somebody must keep up",
        not_proven="other formats (Keras, SavedModel), and settings of one's own, were not tried",
        real=(
            "pip install modelscan  # there is no service: the scanner is all",
            "modelscan -p model.pkl  # exit code 1: issues, 0: none that it knows",
        ),
    )


if __name__ == "__main__":
    main()
