"""What a proof found, row by row."""

from dataclasses import dataclass, field

from rich.table import Table

from authoring.proof.mutants import Verdict

SOLUTION, RELEASE, STOCK = "solution", "release", " (nbgrader)"
FEWEST = 3
"""Misconceptions that an exercise needs before its tests count as proven."""


APART = (
    ": the test cannot work here, for stock nbgrader gives the points: it looks at something that does not travel "
    'from the student\'s process; autograder/README.md, "What that asks of a lab", says what does'
)
"""What is said of a test that right answers pass in one process, and not in two."""


@dataclass(frozen=True)
class ProofRow:
    """One graded submission: points per test cell as they must be and as they are, and what the failing tests said."""

    submission: str
    why: str
    expected: dict[str, float]
    got: dict[str, float]
    said: dict[str, str]

    @property
    def wrong(self) -> list[str]:
        """The test cells whose points are not as expected."""
        return [name for name in self.expected if self.got.get(name) != self.expected[name]]


@dataclass
class ProofTable:
    """The proof of one lab. `problems` are faults of the lab that no single row shows."""

    lab: str
    rows: list[ProofRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    mutants: Verdict | None = None

    @property
    def ok(self) -> bool:
        """Whether every submission got exactly its points and nothing else is wrong."""
        return not self.problems and all(not row.wrong for row in self.rows) and (not self.mutants or self.mutants.ok)

    def failures(self) -> str:
        """Return what is wrong, one line each; empty when all is well."""
        lines = list(self.problems)
        for row in self.rows:
            lines += [
                f"{row.submission}: {name}: expected {row.expected[name]:g}, got "
                f"{'nothing' if name not in row.got else format(row.got[name], 'g')}"
                f"{' (' + row.said[name] + ')' if name in row.said else ''}"
                f"{APART if name in self._right_in_one_process(row) else ''}"
                for name in row.wrong
            ]
        if self.mutants:
            lines += [
                f"{mutant.name}: no test catches {mutant.was.strip()!r} -> {mutant.becomes.strip()!r}: add a hidden "
                f"test, or say in solutions/{self.lab}/mutants.yml why it is right"
                for mutant in self.mutants.survivors
            ]
            lines += self.mutants.faults
        return "\n".join(lines)

    def _right_in_one_process(self, row: ProofRow) -> list[str]:
        """Return the test cells that the same answers pass by stock nbgrader, where tests and answers are together."""
        stock = next((other for other in self.rows if other.submission == row.submission + STOCK), None)
        return [name for name in row.wrong if stock and stock.got.get(name) == row.expected[name]]

    def render(self) -> Table:
        """Return the table for a terminal."""
        table = Table(title=self.lab, show_lines=False)
        for heading in ("submission", "points", "loses", "verdict"):
            table.add_column(heading, justify="right" if heading == "points" else "left", overflow="fold")
        most = sum(next((row.expected for row in self.rows if row.submission == SOLUTION), {}).values())
        for row in self.rows:
            lost = [name for name, points in row.expected.items() if row.got.get(name, 0) < points]
            meant = row.why if lost and row.submission.removesuffix(STOCK) not in (SOLUTION, RELEASE) else ""
            verdict = "[green]as it must[/]" if not row.wrong else f"[red]wrong: {', '.join(row.wrong or lost)}[/]"
            table.add_row(row.submission, f"{sum(row.got.values()):g} of {most:g}", meant, verdict)
        if self.mutants:
            found = self.mutants
            verdict = "[green]as it must[/]" if found.ok else f"[red]{len(found.survivors)} not caught[/]"
            count = len(found.caught) + len(found.excused) + len(found.survivors)
            table.add_row(f"{count} mutants", "", f"{len(found.excused)} excused with a reason", verdict)
        return table
