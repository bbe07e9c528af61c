"""A store of results that many runs, on many machines, share: what one of them has done, no other does again.

A scheduler gives each run a new folder, so a step of tonight cannot find what the same step did last night. The store
lies beside the runs. Delete a folder in it, or all of it, at any time: it costs the steps that made it, no more.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from oakbank.pipelines.artifacts import Steps, input_hashes


def run_stored(
    store: str | Path,
    name: str,
    function: Callable[..., None],
    *,
    inputs: Mapping[str, Path | Sequence[Path]],
    outputs: Mapping[str, Path],
    params: Mapping[str, Any],
) -> bool:
    """Run a step through a shared store; returns whether it really ran.

    The store has a folder for each question, named by the hash of the inputs' bytes and the parameters. In it `Steps`
    decides whether the answer still stands, which it does not under other code or other libraries. Two runs that
    ask the same at the same time do the work once: the second waits, and the system frees the lock of one that dies.

    Args:
        store: Folder of the store; empty text: none, the step runs.
        name: Name of the step.
        function: Reads the input paths and writes the output paths.
        inputs: Paths (or lists of them) by argument name.
        outputs: Where to put the results, by argument name; each is a copy of what lies in the store.
        params: JSON-able arguments.

    Raises:
        PipelineBusyError: An input changed while the step ran.
        OSError: The store cannot be written.
    """
    if not str(store):
        function(**inputs, **outputs, **params)
        return True
    slot = Path(store) / name / question(inputs, params)[:16]
    slot.mkdir(parents=True, exist_ok=True)
    with FileLock(slot / ".lock"):
        steps = Steps(slot)
        made = steps.run(name, function, inputs=inputs, outputs={key: key for key in outputs}, params=params)
        for key, target in outputs.items():
            shutil.copyfile(made[key], target)
    return bool(steps.ran)


def question(inputs: Mapping[str, Path | Sequence[Path]], params: Mapping[str, Any]) -> str:
    """Return the sha256 of what a step is asked: the bytes of its inputs, in their roles, and its parameters."""
    return hashlib.sha256(json.dumps([input_hashes(inputs), dict(params)], sort_keys=True).encode()).hexdigest()
