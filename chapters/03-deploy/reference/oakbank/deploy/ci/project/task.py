"""What may be asked of this project, by name: `python task.py test-code`.

A CI server's file only says in which order; what a name does stands here, and runs on a laptop as well.
"""

import hashlib
import json
import os
import sys

import bank
import pandas as pd
import pytest

os.environ.setdefault("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # other packages' plug-ins cost every start a second


def test(suite):
    """Run a suite; return pytest's exit code."""
    return int(pytest.main(["-q", "--color=no", "--tb=no", "-p", "no:cacheprovider", f"tests/test_{suite}.py"]))


def train():
    """Train on the older months, and write the model."""
    older, _ = bank.split(pd.read_csv(bank.LOANS))
    model = bank.train(older, **bank.settings())
    model.save_model(bank.MODEL)
    print(f"trained on {len(older)} loans, {model.num_trees()} trees")
    return 0


def package():
    """Write the record that goes with the model: the hash of all that made it."""
    made_of = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (bank.MODEL, bank.LOANS, bank.PARAMS)
    }
    with open("release.json", "w") as file:  # noqa: PTH123
        json.dump(made_of, file, indent=2)
    print("release.json:", *made_of)
    return 0


TASKS = {
    "test-code": lambda: test("code"),
    "test-data": lambda: test("data"),
    "train": train,
    "test-model": lambda: test("model"),
    "package": package,
}

if __name__ == "__main__":
    name = " ".join(sys.argv[1:])
    if name not in TASKS:
        sys.exit(f"no task {name!r}: one of {', '.join(TASKS)}")
    sys.exit(TASKS[name]())
