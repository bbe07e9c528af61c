"""A pipeline as a graph: each step says what it reads of the others, and the order follows.

The graph is checked when it is declared, before anything runs; running it is left to `Steps`, and with that come the
content hashes, the resume and the retries.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from oakbank.pipelines.artifacts import Steps

Source = str | Path | Sequence[Path]
"""What a step reads: an output of another step, as "step.output", or one or more files from outside."""
Finished = Callable[[str, list[Path], list[Path]], object]
"""Told of each step that is done: its name, the files that it read, and those that it wrote."""


class DagError(ValueError):
    """Steps that do not make a pipeline; the message names the step and what to change."""


@dataclass(frozen=True)
class Step:
    """One node of the graph: a plain function from files to files."""

    name: str
    function: Callable[..., None]
    """Called with the paths and parameters below, all by name."""
    inputs: Mapping[str, Source]
    """By argument name."""
    outputs: Mapping[str, str]
    """File names by argument name."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """JSON-able arguments."""
    retries: int = 0
    """How often to try again after a transient fault."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise DagError(f"a step cannot be called {self.name!r}: its name is a folder's, so write it like train-2")
        if not self.outputs:
            raise DagError(
                f"step {self.name} has no output: name the files it writes, or nothing tells that it is done"
            )
        if len(set(self.outputs.values())) < len(self.outputs):
            raise DagError(f"step {self.name} writes two outputs to one file: give each a name of its own")
        if self.retries < 0:
            raise DagError(f"step {self.name}: retries must be 0 or more, not {self.retries}")
        named = [*self.inputs, *self.outputs, *self.params]
        if twice := {argument for argument in named if named.count(argument) > 1}:
            raise DagError(f"step {self.name}: {min(twice)} is given twice, as input, output or parameter: rename one")
        try:
            inspect.signature(self.function).bind(**dict.fromkeys(named))
        except TypeError as error:
            raise DagError(f"step {self.name}: {error}; its inputs, outputs and params must be the arguments") from None

    @property
    def reads(self) -> dict[str, tuple[str, str]]:
        """The outputs of other steps that it reads: (step, output) by argument name."""
        parts = {argument: source.partition(".") for argument, source in self.inputs.items() if isinstance(source, str)}
        return {argument: (step, output) for argument, (step, _, output) in parts.items()}


class Dag:
    """Steps in an order in which each finds what it reads.

    Args:
        steps: The nodes, in any order; where the graph leaves a choice, the order given here decides.

    Raises:
        DagError: Two steps have one name, one reads what no step writes, or they wait for one another.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps: dict[str, Step] = {}
        for step in steps:
            if step.name in self.steps:
                raise DagError(f"two steps are called {step.name}: rename one")
            self.steps[step.name] = step
        for step in self.steps.values():
            for argument, (name, output) in step.reads.items():
                self._check(f"step {step.name} reads {argument} from", name, output)
        graph = {step.name: [name for name, _ in step.reads.values()] for step in self.steps.values()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise DagError(f"{circle} is a circle, so none of them can start: let one read something else") from None
        self.order: tuple[str, ...] = ()
        while len(self.order) < len(graph):
            ready = (name for name in graph if name not in self.order and set(graph[name]) <= set(self.order))
            self.order += (next(ready),)

    def _check(self, who: str, name: str, output: str) -> None:
        if name not in self.steps:
            raise DagError(f"{who} step {name!r}, which is not there: {_meant(name, self.steps)}")
        if output not in self.steps[name].outputs:
            there = self.steps[name].outputs
            raise DagError(f"{who} '{name}.{output}', which {name} does not write: {_meant(output, there)}")

    def run(self, steps: Steps, finished: Finished | None = None) -> dict[str, dict[str, Path]]:
        """Run what is not done, in order; return the output paths by step and argument name.

        Hold `folder_lock` on the folder meanwhile. The first step that fails ends the run; what ended before it stays.

        Args:
            steps: Where and how they run.
            finished: Told of each step that is done, also of one that was found done.

        Raises:
            FileNotFoundError: A file from outside is missing. No step has run then.
        """
        for step in self.steps.values():
            for argument, source in step.inputs.items():
                outside = [] if isinstance(source, str) else [source] if isinstance(source, Path) else source
                if lost := [path for path in outside if not path.is_file()]:
                    raise FileNotFoundError(f"step {step.name} reads {argument} from {lost[0]}: bring that file")
        made: dict[str, dict[str, Path]] = {}
        for name in self.order:
            step = self.steps[name]
            files: dict[str, Path | Sequence[Path]] = {}
            for argument, source in step.inputs.items():
                if isinstance(source, str):
                    other, output = step.reads[argument]
                    files[argument] = made[other][output]
                else:
                    files[argument] = source
            made[name] = steps.run(
                name,
                step.function,
                inputs=files,
                outputs=step.outputs,
                params=step.params,
                retries=step.retries,
            )
            if finished:
                read = [path for value in files.values() for path in ([value] if isinstance(value, Path) else value)]
                finished(name, read, list(made[name].values()))
        return made

    def mermaid(self) -> str:
        """Return the graph as text for a mermaid diagram: steps, and on the arrows the outputs that go along them."""
        arrows: dict[tuple[str, str], list[str]] = {}
        for name in self.order:
            for other, output in self.steps[name].reads.values():
                arrows.setdefault((other, name), []).append(output)
        lines = [f"    {first} -- {', '.join(along)} --> {last}" for (first, last), along in arrows.items()]
        alone = [f"    {name}" for name in self.order if not any(name in pair for pair in arrows)]
        return "\n".join(["flowchart LR", *alone, *lines])


def _meant(word: str, choices: Iterable[str]) -> str:
    names = list(choices)
    close = get_close_matches(word, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(names)}"
