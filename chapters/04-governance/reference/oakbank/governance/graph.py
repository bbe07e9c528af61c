"""The graph that OpenLineage events make: what came from what, backwards and forwards."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import networkx as nx  # type: ignore[import-untyped]

from oakbank.governance.events import VERSION, Content, EventError


@dataclass(frozen=True, order=True)
class JobRun:
    """A run of a job."""

    job: str
    run_id: str


Node: TypeAlias = Content | JobRun


class LineageGraph:
    """Data sets and runs; an arrow leads from what was read to the run, and from the run to what it wrote.

    Args:
        path: Events, one JSON a line, as `Recorder` and OpenLineage's file transport write them.

    Raises:
        EventError: A line is not an event; the message names it.
        FileNotFoundError: There are no events.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.graph = nx.DiGraph()
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                self._add(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise EventError(
                    f"{self.path}:{number} is no OpenLineage event of a run with versions ({error}): "
                    "remove the line, and run the step again that wrote it"
                ) from None

    def _add(self, event: dict[str, Any]) -> None:
        run = JobRun(event["job"]["name"], event["run"]["runId"])
        for one in event["inputs"]:
            self.graph.add_edge(_content(one), run)
        for one in event["outputs"]:
            self.graph.add_edge(run, _content(one))

    def versions(self, name: str) -> list[Content]:
        """Return a data set's contents that some run read or wrote, in the order of the events.

        Raises:
            EventError: No event names it.
        """
        found = [one for one in self.graph if isinstance(one, Content) and one.name == name]
        if not found:
            raise EventError(f"no event in {self.path} names {name}: check the spelling")
        return found

    def tainted(self, one: Content) -> list[Content]:
        """Return all that was made from a content, directly or not, by name."""
        return self._contents(nx.descendants(self.graph, one))

    def origins(self, one: Content) -> list[Content]:
        """Return all that a content was made from, directly or not, by name."""
        return self._contents(nx.ancestors(self.graph, one))

    @staticmethod
    def _contents(nodes: set[Node]) -> list[Content]:
        return sorted(one for one in nodes if isinstance(one, Content))


def _content(told: dict[str, Any]) -> Content:
    return Content(told["name"], told["facets"][VERSION]["datasetVersion"])
