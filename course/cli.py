"""The `course` command. Each verb is thin: it calls a plain function and prints what that returns."""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from authoring.repository import COMMAND, ROOT
from base.errors import UserError
from base.process import be_plain, cores, lean_imports, python, tools_path
from base.quiet import quiet
from course.paths import RUNS

quiet()  # before a verb imports anything that could report home
os.environ.pop(RUNS, None)  # in JupyterLab's terminal, too, what is run here keeps away from a learner's own runs
os.environ["PATH"] = tools_path()  # lessons, tours and tests start uv, dvc and others by name

if TYPE_CHECKING:
    from rich.console import Console


class _Group(typer.core.TyperGroup):
    """Prints a fault that the user can put right in one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            typer.secho(f"course: {error}", fg="red", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=_Group,
    help="An MLOps course in which everything taught runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _console() -> "Console":
    from rich.console import Console

    return Console()


def _become(command: list[str]) -> NoReturn:
    """Go on as another program, so that its last line and exit code are ours."""
    if sys.platform == "win32":  # there, exec returns to the shell at once
        import subprocess

        raise typer.Exit(subprocess.run(command).returncode)  # noqa: S603
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        raise UserError(f"cannot start {command[0]}: {error.strerror}") from None


def _show_any_text() -> None:
    """Show `?` for what the terminal cannot, and call files what they are called on every machine.

    Where the locale is none of UTF-8 the command starts once more: names of files, and with them of students, would be
    others, and letters beyond the locale's could not be written.
    """
    if sys.getfilesystemencoding() != "utf-8":
        shown = (sys.stdout.encoding if sys.stdout else None) or "ascii"
        os.environ |= {"PYTHONIOENCODING": shown, "PYTHONUTF8": "1"}
        _become([sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    os.environ.pop("PYTHONIOENCODING", None)  # is for this terminal; what is started here is read as UTF-8
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"course {version('oakbank-course')}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    root: Annotated[Path, typer.Option(hidden=True, help="Another course's folder: the tests use it.")] = ROOT,
) -> None:
    """An MLOps course in which everything taught runs."""
    _show_any_text()
    be_plain()
    ctx.obj = root.resolve()


def _learners_ground(root: Path) -> None:
    """Bring `work/` up to date, and say what came of it."""
    from course.work.update import prepare

    for sentence in prepare(root):
        typer.echo(sentence, err=True)


@app.command()
def start(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(help="Where to listen; 8888 or the next free one if left out.")] = None,
    browser: Annotated[bool, typer.Option(help="Open it in a browser.")] = True,
) -> None:
    """Open JupyterLab on your own copies of lessons and labs, in work/, with MLflow and the service in its launcher."""
    from course.start import lab_command

    _learners_ground(ctx.obj)
    command, variables = lab_command(ctx.obj, port, browser)
    os.environ.update(variables)
    _become(command)


@app.command()
def check(
    ctx: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab (02-training-pipeline, or the start of its name) or a notebook.")],
    full: Annotated[
        bool, typer.Option("--full", help="Ask the grader: points and hints, tests that you cannot see included.")
    ] = False,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds that one cell may take; the grader's own limit, or 30.")
    ] = None,
) -> None:
    """Run the visible tests of a lab: what passed, and a hint for what did not."""
    import shlex

    from course.check import CELL_TIMEOUT, render, require_environment
    from course.check import check as run_check
    from course.paths import is_lab, lab_notebook
    from course.progress import LabScore, note_lab
    from course.work.page import write_page

    _learners_ground(ctx.obj)
    path = lab_notebook(lab, ctx.obj)
    require_environment()
    lean_imports()
    if full:
        raise typer.Exit(0 if _ask_grader(path, ctx.obj, timeout) else 1)
    console = _console()
    with console.status(f"running {path.name}"):
        found = run_check(path, ctx.obj, timeout or CELL_TIMEOUT)
    console.print(render(found, f"python3 bootstrap.py check {shlex.quote(lab)} --full" if found.hidden else ""))
    if is_lab(path, ctx.obj):
        score = LabScore(passed=found.passed, exercises=len(found.exercises), points=found.points, hidden=found.hidden)
        note_lab(ctx.obj, path.stem, score)
        write_page(ctx.obj)
    raise typer.Exit(0 if found.ok else 1)


def _ask_grader(path: Path, root: Path, timeout: int | None) -> bool:
    """Show the grader's verdict on a learner's notebook, and note it; returns whether it got all points."""
    from autograder.examiner.handles import Limits
    from course.paths import is_lab
    from course.progress import LabScore, note_lab
    from course.verdict import grade_alone, render
    from course.work.page import write_page

    console = _console()
    with console.status(f"grading {path.name}"):
        verdict = grade_alone(path, root, timeout or Limits.cell_seconds)
    console.print(render(verdict))
    if is_lab(path, root):
        passed = sum(one.passed for one in verdict.exercises)
        score = LabScore(passed=passed, exercises=len(verdict.exercises), points=verdict.points, score=verdict.score)
        note_lab(root, path.stem, score)
        write_page(root)
    return verdict.score >= verdict.points


@app.command()
def progress(ctx: typer.Context) -> None:
    """Show the lessons run, the labs passed and what is next."""
    from course.progress import render, steps

    _learners_ground(ctx.obj)
    _console().print(render(steps(ctx.obj), ctx.obj))


@app.command()
def reset(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A lab, a lesson (02/07, or the start of its name), or a file.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All lessons and labs.")] = False,
) -> None:
    """Bring the original of a lesson or lab back; what you wrote is kept in work/kept/."""
    from course.work.reset import reset as bring_back

    if bool(name) == everything:
        raise UserError(f"name the lesson or lab: {COMMAND} reset 01/02 (all of them: {COMMAND} reset --all)")
    for sentence in bring_back(ctx.obj, name):
        typer.echo(sentence)


@app.command()
def solution(
    ctx: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab, or the start of its name.")],
) -> None:
    """Put the solution of a lab into work/solutions/."""
    from course.work.reset import solution as copy_solution

    typer.echo(f"the solution is {copy_solution(lab, ctx.obj).relative_to(ctx.obj)}")


@app.command()
def run(
    ctx: typer.Context,
    chapter: Annotated[str, typer.Argument(help="A chapter (02), or one lesson of it (02/07); all if left out.")] = "",
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many at a time; one a core if left out.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Cut off the network (Linux).")] = False,
    solutions: Annotated[bool, typer.Option("--solutions", help="Run the labs' solutions too.")] = False,
    flight: Annotated[bool, typer.Option(help="Fly the bank through its 24 months beside the notebooks.")] = True,
) -> None:
    """Execute the lessons in parallel, and with all of them the bank's flight; then a table of what each took."""
    from course.run import plan
    from course.run import run as run_all
    from course.show import Progress, print_report

    todo = plan(ctx.obj, chapter, solutions=solutions, flight=flight)
    if offline:
        _cut_off()
    slots = min(jobs or cores(), len(todo))
    console = _console()
    console.print(f"{len(todo)} to run, {slots} at a time, longest first" + (", network cut off" if offline else ""))
    try:
        with Progress(console, todo) as listen:
            report = run_all(todo, slots, ctx.obj, listen)
    except KeyboardInterrupt:
        console.print("stopped; what had run is noted")
        raise typer.Exit(130) from None
    print_report(console, report)
    raise typer.Exit(0 if report.ok else 1)


def _cut_off() -> None:
    """Go on in this command with the network cut off; end with the reason where that cannot be."""
    from base.offline import has_network, offline_command, why_not

    if not has_network():
        return
    command = offline_command(python("-m", "course.cli", *sys.argv[1:]))
    if command is None or os.environ.get("COURSE_CUT_OFF"):
        raise UserError(why_not() or "the network is still there after it was cut off")
    os.environ["COURSE_CUT_OFF"] = "1"
    os.execvp(command[0], command)  # noqa: S606


ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=ANY_ARGUMENTS)
def tour(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A tour, such as lakefs; all are listed if left out.")] = "",
) -> None:
    """Run a tour of an outside system in an environment of its own, which the first time is downloaded."""
    from course.tours import tour_command, written

    if not name:
        for path in written(ctx.obj):
            typer.echo(f"{path.stem:20} {path.relative_to(ctx.obj).as_posix()}")
        return
    _become([*tour_command(name, ctx.obj), *ctx.args])


@app.command("exec", context_settings=ANY_ARGUMENTS)
def execute(ctx: typer.Context) -> None:
    """Run any command of the course's environment: `exec uv add NAME`, `exec jupyter lab`, `exec python FILE`."""
    if not ctx.args:
        raise UserError(f"name the command to run: {COMMAND} exec jupyter lab")
    _become(ctx.args)


@app.command()
def doctor(ctx: typer.Context) -> None:
    """Show what this machine has, and what each missing part costs you."""
    from course.doctor import examine, render

    findings = examine(ctx.obj)
    _console().print(render(findings))
    raise typer.Exit(1 if any(finding.required and not finding.ok for finding in findings) else 0)


@app.command()
def build(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a file differs.")] = False,
    only: Annotated[str, typer.Option(help="Only files whose path, or whose source's, contains this.")] = "",
    aside: Annotated[
        bool, typer.Option("--aside", help="Move notebooks that somebody worked in to var/kept/ and write them anew.")
    ] = False,
) -> None:
    """Write every generated file: notebooks, labs, tables, environments."""
    from authoring.build import build as build_all

    found = build_all(check=check, root=ctx.obj, only=only, aside=aside)
    for line in found:
        typer.echo(line)
    if not found:
        typer.echo("nothing differs" if check else "nothing to write")
    raise typer.Exit(1 if check and found else 0)


@app.command()
def record(
    ctx: typer.Context,
    lesson: Annotated[str, typer.Argument(help="A chapter (01), or one lesson of it (01/07); all if left out.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; compare with what was recorded.")] = False,
) -> None:
    """Run lessons and keep what their recorded cells show, for machines that cannot run them."""
    from course.record import record as record_lessons

    console = _console()
    with console.status("running what is recorded"):
        found = record_lessons(ctx.obj, lesson, check)
    for one in found:
        typer.echo("\n".join(filter(None, [f"{one.lesson}: {one.said}", one.difference])))
    raise typer.Exit(0 if all(one.ok for one in found) else 1)


@app.command()
def prove(
    ctx: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab of solutions/.")],
    only: Annotated[str, typer.Option(help="Only the misconceptions, alternatives and mutants with this name.")] = "",
    stock: Annotated[bool, typer.Option("--stock", help="Have stock nbgrader grade everything as well.")] = False,
    everything: Annotated[bool, typer.Option("--everything", help="Run all tests for each wrong answer.")] = False,
) -> None:
    """Prove a lab: right answers get all, the release none, wrong ones lose exactly theirs, mutants are caught."""
    from authoring.proof.prove import prove as prove_lab

    table = prove_lab(lab, ctx.obj, only, cores(), stock, everything)
    _console().print(table.render())
    if not table.ok:
        typer.echo(table.failures(), err=True)
    raise typer.Exit(0 if table.ok else 1)


CourseFolder = Annotated[
    Path | None, typer.Option("--root", help="A course's folder, with nbgrader_config.py; this one if left out.")
]


def _instructors_ground(root: Path, submissions: Path | None = None) -> Path | None:
    """Move what an earlier version left among the source files to `grading/`; returns where the submissions are now."""
    from course.grading import move_in, moved_path

    moved = move_in(root)
    for old, new in moved:
        typer.echo(f"moved {old} to {new}", err=True)
    return moved_path(submissions, moved) if submissions else None


@app.command()
def grade(
    ctx: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab of solutions/.")],
    submissions: Annotated[
        Path | None,
        typer.Option(
            help="nbgrader's submitted/ tree, a folder of notebooks or an LMS's zip; the course's own tree if left out."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many at a time; one a core if left out.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local; dask (worker processes here); dask:tcp://HOST:PORT (a scheduler that runs).")
    ] = "local",
    sandbox: Annotated[
        bool, typer.Option(help="Confine the students' code; without it, it can do what you can.")
    ] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one cell may take.")] = 60,
    processes: Annotated[
        int, typer.Option(min=8, help="Processes and threads that a submission may have at a time.")
    ] = 512,
    out: Annotated[
        Path | None, typer.Option(help="Where notebooks, feedback, results and reports go, if not into grading/.")
    ] = None,
    course: CourseFolder = None,
) -> None:
    """Grade all submissions of a lab; stopped or killed, the same command goes on where it was."""
    lean_imports()
    from autograder.cohort.run import Options, grade_lab, warm_up

    root = (course or ctx.obj).resolve()
    if engine == "local":
        warm_up(root / "solutions" / lab)  # at once: it takes the longest
    submissions = _instructors_ground(root, submissions)
    from autograder.cohort.show import Display, print_summary
    from autograder.cohort.store import AGAIN

    options, console = Options(jobs or cores(), engine, sandbox, timeout, processes), _console()
    try:
        with Display(console) as display:
            summary = grade_lab(lab, submissions, root, out, options, display)
    except KeyboardInterrupt:
        console.print(f"stopped; {AGAIN}")
        raise typer.Exit(130) from None
    print_summary(console, summary)
    raise typer.Exit(0 if summary.ok else 1)


@app.command()
def report(
    ctx: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab that is graded.")],
    canvas: Annotated[
        Path | None, typer.Option(help="Canvas' own export (Grades, Export): a copy with the marks is written.")
    ] = None,
    moodle: Annotated[
        Path | None, typer.Option(help="Moodle's grading worksheet: a copy with the marks is written.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="As it was given to `course grade`.")] = None,
    course: CourseFolder = None,
) -> None:
    """Write the class report and the tables for the LMS anew, with what was marked by hand since."""
    from autograder.cohort.publish import report_lab
    from autograder.cohort.show import print_summary

    lean_imports()
    root = (course or ctx.obj).resolve()
    _instructors_ground(root)
    summary = report_lab(lab, root, out, canvas, moodle)
    print_summary(_console(), summary)
    raise typer.Exit(0 if summary.ok else 1)


@app.command()
def release(
    ctx: typer.Context,
    lab: Annotated[str, typer.Argument(help="A lab of solutions/.")],
    aside: Annotated[
        bool, typer.Option("--aside", help="Move a release that holds answers to grading/kept/ and make it anew.")
    ] = False,
    course: CourseFolder = None,
) -> None:
    """Make the release of a lab to hand out, and enter the lab into nbgrader's gradebook."""
    from authoring.labs import require_built
    from autograder.nbgrader.release import release_lab

    root = (course or ctx.obj).resolve()
    _instructors_ground(root)
    require_built(lab, root)
    typer.echo(f"hand out {release_lab(lab, root, aside)}")


@app.command(context_settings=ANY_ARGUMENTS)
def test(ctx: typer.Context) -> None:
    """Run all tests, one process a core, and name the slowest; arguments go to pytest (`test -k drift`)."""
    import importlib.util

    if importlib.util.find_spec("xdist") is None:
        raise UserError(f"the tests need the development packages, which `{COMMAND} test` installs")
    os.chdir(ctx.obj)
    slowest = ["--durations=40", "--durations-min=10"]
    _become([sys.executable, "-m", "pytest", "-n", str(cores()), "--dist", "worksteal", *slowest, *ctx.args])


if __name__ == "__main__":
    app(prog_name=COMMAND)
