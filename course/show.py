"""What `course run` shows: live lines as it runs, then the table, the failures and the ratio."""

import time
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from course.pool import Event, Job
from course.run import WALL_BAR, Report, Result

SOURCE_LINES = 12


def _line(result: Result) -> str:
    outcome = result.outcome
    return f"{result.job.name}: {result.verdict}, {outcome.seconds:.1f} s, {outcome.peak_mb:.0f} MB"


class Progress:
    """Listens to a run: a live block on a terminal, a plain line at each start and end elsewhere.

    Use it as a context manager, and call it with each event.
    """

    def __init__(self, console: Console, jobs: list[Job]) -> None:
        self.console, self.total, self.done = console, len(jobs), 0
        self.running: dict[str, tuple[Job, float, int]] = {}
        self.live = Live(console=console, refresh_per_second=5, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()

    def __call__(self, event: Event | None) -> None:
        """Show an event; None: only time has passed."""
        if event is not None and event.job is not None:
            self._note(event.job, event)
        if self.live is not None:
            self.live.update(self._block())

    def _note(self, job: Job, event: Event) -> None:
        if event.outcome is not None:
            self.done += 1
            self.running.pop(job.name)
            result = Result(job, event.outcome)
            style = "" if result.ok else "red"
            self.console.print(
                f"[{self.done}/{self.total}] {_line(result)}", style=style, markup=False, highlight=False
            )
        elif event.cell:
            self.running[job.name] = (job, self.running[job.name][1], event.cell)
        else:
            self.running[job.name] = (job, time.monotonic(), 0)
            if self.live is None:
                self.console.print(f"start {job.name}", markup=False, highlight=False)

    def _block(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for job, begin, cell in self.running.values():
            where = f"cell {cell} of {job.cells}" if job.notebook is not None and cell else "starting"
            where = where if job.notebook is not None else "flying"
            table.add_row(Text(job.name), Text(where, style="cyan"), Text(f"{time.monotonic() - begin:.0f} s"))
        bar = Table.grid(padding=(0, 2))
        bar.add_row(ProgressBar(self.total, self.done, width=40), Text(f"{self.done} of {self.total} done"))
        return Group(table, bar)


def print_report(console: Console, report: Report) -> None:
    """Print the table, what failed and why, where the flight's report is, and last the ratio of wall to work."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("chapter", no_wrap=True)
    table.add_column("lesson", overflow="fold")  # where it is narrow, a long name gives way, not a number
    for name in ("cells", "seconds", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", min_width=len("verdict"))
    shown = ""
    for result in report.results:
        job, outcome = result.job, result.outcome
        cells = str(outcome.cells or job.cells) if job.notebook is not None else ""
        numbers = (cells, f"{outcome.seconds:.1f}", f"{outcome.peak_mb:.0f}")
        verdict = Text(result.verdict, style="green" if result.ok else "bold red")
        table.add_row(job.chapter if job.chapter != shown else "", job.lesson, *numbers, verdict)
        shown = job.chapter
    console.print(table)
    for result in report.results:
        if result.outcome.failure is not None:
            console.print(_failure(result))
    for result in report.results:
        if result.job.notebook is None and result.ok:
            console.print(f"flight report: {result.job.output}", soft_wrap=True, highlight=False, markup=False)
    good = sum(result.ok for result in report.results)
    console.print(
        f"{good} of {len(report.results)} ran as they should",
        style="green" if report.ok else "bold red",
        highlight=False,
    )
    console.print(_ratio(report), soft_wrap=True, highlight=False)


def _failure(result: Result) -> Panel:
    failure = result.outcome.failure
    assert failure is not None
    lines = failure.source.splitlines()
    source = "\n".join(lines[:SOURCE_LINES] + ["…"] * (len(lines) > SOURCE_LINES))
    parts = [Text(source, style="cyan")] if source else []
    parts.append(Text(failure.error, style="bold red"))
    parts += [Text(line, style="dim") for line in failure.last_lines]
    if result.job.notebook is not None and result.job.output.is_file():
        parts.append(Text(f"executed as far as it came: {result.job.output}"))
    where = f", cell {failure.cell}" if failure.cell else ""
    return Panel(Group(*parts), title=escape(f"{result.job.name}{where}"), title_align="left", border_style="red")


def _ratio(report: Report) -> str:
    if report.ratio is None:
        return f"wall {report.seconds:.0f} s, and no cell ran"
    work = f"{report.cell_seconds:.0f} s in cells / {report.jobs} jobs"
    verdict = "within" if report.ratio <= WALL_BAR else "over"
    return f"wall {report.seconds:.0f} s / ({work}) = {report.ratio:.2f}, {verdict} the bar of {WALL_BAR}"
