"""The numbers of the last measurement, `results.json`, and what README.md shows of them."""

import json
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder.trials.benchmarks.classroom import HERE
from autograder.trials.benchmarks.measure import CGROUP
from base.errors import UserError
from base.files import write_text
from base.process import cores

RESULTS = HERE / "results.json"
README = HERE.parents[1] / "README.md"
START, END = "<!-- generated: benchmark -->", "<!-- end generated -->"
PACKAGES = ("mlflow", "nbgrader", "pandas", "scikit-learn")
WALL, CPU, LIMIT = 10.0, 5.0, 2.0
"""The bars: times faster than nbgrader, times less CPU than nbgrader, times the limit."""


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    return {
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def read(path: Path = RESULTS) -> dict[str, Any]:
    """Return the results; nothing if there are none yet."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def keep(section: str, found: dict[str, Any], path: Path, readme: Path) -> None:
    """Put a section into the results, and the results into the README.

    Raises:
        UserError: The README has no place for them.
    """
    results = read(path) | {section: {"machine": machine(), **found}}
    write_text(path, json.dumps(results, indent=1, sort_keys=True) + "\n")
    show(path, readme)


def show(path: Path, readme: Path) -> None:
    """Write the tables of the results into the README.

    Raises:
        UserError: The README has no place for them.
    """
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    write_text(readme, renewed(text, read(path), readme.name))


def renewed(text: str, results: dict[str, Any], name: str) -> str:
    """Return a README with its tables renewed.

    Raises:
        UserError: It has no place for them.
    """
    place = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    if len(place.findall(text)) != 1:
        raise UserError(f"{name} needs one line {START} and below it a line {END} for the tables")
    return place.sub(lambda _: f"{START}\n{tables(results)}\n{END}", text)


def tables(results: dict[str, Any]) -> str:
    """Return what the README shows of the results."""
    parts = []
    if "throughput" in results:
        parts.append(_throughput(results["throughput"]))
    if "cohort" in results:
        parts.append(_cohort(results["cohort"]))
    return "\n\n".join(parts) or "Nothing is measured yet: `python -m autograder.trials.benchmarks throughput`."


def bars(found: dict[str, Any]) -> list[tuple[str, float, float, bool]]:
    """Return what was wanted of the throughput: its name, the bar, what was measured, whether it is held."""
    stock, ours = found["stock"], found["ours"]
    wall, cpu, limit = stock["wall"] / ours["wall"], stock["cpu"] / ours["cpu"], ours["wall"] / _least(found, found)
    return [
        ("wall time, times faster than nbgrader, at least", WALL, wall, wall >= WALL),
        ("CPU, times less than nbgrader, at least", CPU, cpu, cpu >= CPU),
        ("wall time, times the limit, at most", LIMIT, limit, limit <= LIMIT),
    ]


def _least(run: dict[str, Any], found: dict[str, Any]) -> float:
    """Return the wall time of a run's bare cells, perfectly shared among the machine's cores."""
    return float(run["cells"] / found["machine"]["cores"])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|---" + "|---:" * (len(cells) - 1) + "|"]


def _about(found: dict[str, Any]) -> str:
    """Return on what it was measured, in one sentence."""
    about = found["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return f"Measured on {about['cores']} cores with {about['system']}, Python {about['python']}, {versions}."


def _counted(counts: set[str]) -> str:
    if counts == {CGROUP}:
        return "CPU is that of all processes (control group)."
    return "CPU is that of the processes that were waited for (`getrusage`): no control group could be made."


def _throughput(found: dict[str, Any]) -> str:
    count, stock, other = found["submissions"], found["stock"], found["otter"]
    rows = _head(
        f"{count} submissions", "wall, s", "CPU, s", "CPU a submission, s", "wall, times faster", "CPU, times less"
    )

    def row(name: str, cost: dict[str, Any]) -> str:
        each, faster, less = cost["cpu"] / count, stock["wall"] / cost["wall"], stock["cpu"] / cost["cpu"]
        return _row(
            name,
            *(f"{number:.1f}" for number in (cost["wall"], cost["cpu"])),
            f"{each:.2f}",
            f"{faster:.1f}",
            f"{less:.1f}",
        )

    rows.append(row("`nbgrader autograde`", stock))
    rows.append(row("this grader", found["ours"]))
    name = f"`otter run` (otter-grader{' ' + other['version'] if 'version' in other else ''})"
    rows.append(_row(name, *[""] * 5) if "why" in other else row(name, other))
    rows.append(
        row("limit: the bare cells, imports paid, on all cores", {"wall": _least(found, found), "cpu": found["cells"]})
    )
    marks, measured = found["marks"], [stock, found["ours"], *([] if "why" in other else [other])]
    total = count * found["tests"]
    said = [
        f"Marks: {marks['equal']} of {total} are equal to nbgrader's. Not equal are {marks['warned']} of right answers "
        f"that warn on stderr (nbgrader gives nothing for them), {marks['rescued']} after an earlier mistake (it costs "
        f"once here) and {len(found['faults'])} that are wrong."
    ]
    times = [one["wall"] / _least(one, found) for one in found["rounds"]]
    said.append(
        f"This grader and the bare cells were measured {len(times)} times, in turn: shown is the time with the "
        f"median of their ratios, which were {min(times):.1f} to {max(times):.1f}."
    )
    said.append(
        f"otter-grader: {other['why']}."
        if "why" in other
        else f"otter-grader: {other['same']} of {total} marks are equal."
    )
    held = ["", *_head("bar", "wanted", "measured", "held")]
    held += [_row(name, f"{bar:g}", f"{is_:.1f}", "yes" if ok else "**no**") for name, bar, is_, ok in bars(found)]
    return "\n".join(
        [*rows, "", " ".join([_about(found), _counted({one["counted"] for one in measured}), *said]), *held]
    )


def _cohort(found: dict[str, Any]) -> str:
    runs = found["runs"]
    rows = _head(
        *("this grader", "wall, s", "a submission, s", "times the limit", "CPU, s"),
        *("grader's memory, MB", "all processes, MB"),
    )
    for one in runs:
        memory = ["not known" if one[name] is None else str(one[name]) for name in ("main_mb", "all_mb")]
        wall, least = one["wall"], _least(one, found)
        times = f"{wall:.1f}", f"{wall / one['submissions']:.2f}", f"{wall / least:.1f}"
        rows.append(_row(f"{one['submissions']} submissions", *times, f"{one['cpu']:.1f}", *memory))
    said = [_about(found), _counted({one["counted"] for one in runs})]
    said.append(
        "Memory is the most at any moment: resident of the grader, and of all processes with shared pages once."
    )
    if len(runs) > 1:
        first, last = runs[0], runs[-1]
        grown = [f"{last['submissions'] / first['submissions']:g} times the submissions take"]
        grown.append(f"{last['wall'] / first['wall']:.1f} times the time")
        if first["main_mb"] and last["main_mb"]:
            grown.append(f"and {last['main_mb'] / first['main_mb']:.2f} times the grader's memory")
        if first["all_mb"] and last["all_mb"]:
            grown.append(f"({last['all_mb'] / first['all_mb']:.2f} times that of all processes)")
        said.append(" ".join(grown) + ".")
    said.append(f"{len(found['faults'])} marks are wrong." if found["faults"] else "All marks are as they must be.")
    return "\n".join([*rows, "", " ".join(said)])
