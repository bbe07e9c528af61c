"""What a run of the grader shows: a live bar on a terminal, a line for each student elsewhere, and the summary."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from autograder.cohort.told import Note, Summary
from autograder.submissions.collect import Found

SHOWN = 10
"""Students who could not be graded are listed up to here, and what else there is to say of what was found."""
NAMES = 60
"""Students whose names are shown before grading begins."""


def _plain(text: str) -> str:
    """Return text that cannot steer the terminal: names and faults come from outside."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class Display:
    """Listens to a run; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console, self.done, self.todo = console, 0, 0
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        self.live = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True)
        self.bar = self.live.add_task("grading", visible=False)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def _print(self, text: str, style: str = "") -> None:
        self.console.print(_plain(text), style=style, markup=False, highlight=False, soft_wrap=True)

    def found(self, lab: str, found: Found) -> None:
        """Show who handed in, who gets nothing for it and why, and what is nobody's, before anything is graded."""
        names = [source.student for source in found.sources]
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        self._print(f"{lab}: {len(names)} students, {found.files} files: {', '.join(names[:NAMES])}{more}")
        for title, said in (
            ("no points", [f"{source.student}: {source.fault}" for source in found.sources if source.fault]),
            ("note", [f"{source.student}: {source.note}" for source in found.sources if source.note]),
            ("left out", [f"{path}: {why}" for path, why in found.left]),
        ):
            for line in said[:SHOWN]:
                self._print(f"  {title}: {line}")
            if len(said) > SHOWN:
                self._print(f"  {title}: {len(said) - SHOWN} more")

    def begin(self, lab: str, students: int, todo: int) -> None:
        """Say what there is to do."""
        self.done, self.todo = 0, todo
        before = f", {students - todo} were graded before" if todo < students else ""
        self._print(f"{lab}: {students} submissions{before}")
        self.live.reset(self.bar, total=todo, description=_plain(lab), visible=todo > 0)

    def note(self, note: Note) -> None:
        """Show that a student is done. On a terminal only the bar moves, and faults are printed."""
        self.done += 1
        self.live.update(self.bar, completed=self.done)
        if note.fault or not self.console.is_terminal:
            line = f"[{self.done}/{self.todo}] {note.student}: {note.said}"
            self._print(line, "red" if note.fault else "")


def print_summary(console: Console, summary: Summary) -> None:
    """Print what was graded, who was not and why, and where the instructor's files are."""
    graded = summary.submissions - len(summary.faults)
    style = "green" if summary.ok else "bold red"
    console.print(f"{graded} of {summary.submissions} submissions are graded", style=style, highlight=False)
    for student, why in summary.faults[:SHOWN]:
        console.print(_plain(f"  {student}: not graded: {why}"), markup=False, highlight=False, soft_wrap=True)
    if len(summary.faults) > SHOWN:
        console.print(f"  and {len(summary.faults) - SHOWN} more", highlight=False)
    if summary.faults:
        console.print(
            "They have no mark. The reason stands in full beside the results; the next run tries them again.",
            highlight=False,
            soft_wrap=True,
        )
    for line in (*summary.remarks, *map(str, summary.files)):
        console.print(_plain(line), markup=False, highlight=False, soft_wrap=True)
