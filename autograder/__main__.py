"""The grader as a command, for any course of nbgrader: `python -m autograder grade LAB --root FOLDER`."""

import argparse
import sys
from pathlib import Path

from base.errors import UserError
from base.process import be_plain, cores, lean_imports
from base.quiet import quiet


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    grade = verbs.add_parser("grade", help="grade all submissions; stopped, the same command goes on where it was")
    grade.add_argument("--submissions", type=Path, help="a `submitted/` tree, a folder of notebooks or an LMS's zip")
    grade.add_argument("--jobs", type=int, default=cores(), help="how many at a time")
    grade.add_argument("--engine", default="local", help="local; dask; dask:tcp://HOST:PORT")
    grade.add_argument("--no-sandbox", action="store_true", help="students' code can do what you can")
    grade.add_argument("--timeout", type=float, default=60.0, help="seconds that one cell may take")
    grade.add_argument("--processes", type=int, default=512, help="processes and threads of a submission at a time")
    report = verbs.add_parser("report", help="write the report and the tables for the LMS anew")
    report.add_argument("--canvas", type=Path, help="Canvas' own export, to be filled in")
    report.add_argument("--moodle", type=Path, help="Moodle's grading worksheet, to be filled in")
    release = verbs.add_parser("release", help="make the release of a lab, and enter it into the gradebook")
    release.add_argument("--aside", action="store_true", help="move a release that holds answers out of the way")
    for verb in (grade, report):
        verb.add_argument("--out", type=Path, help="where all but the gradebook goes, if not as the settings say")
    for verb in (grade, report, release):
        verb.add_argument("lab", help="name of the assignment")
        verb.add_argument("--root", type=Path, default=Path.cwd(), help="the course, with its nbgrader_config.py")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code: 1 where a submission is not graded, 2 where the user has to act."""
    wanted = _arguments().parse_args(arguments)
    root = wanted.root.resolve()
    lean_imports()
    from rich.console import Console

    from autograder.cohort.publish import report_lab
    from autograder.cohort.run import Options, grade_lab
    from autograder.cohort.show import Display, print_summary
    from autograder.cohort.store import AGAIN

    console = Console()
    try:
        if wanted.verb == "release":
            from autograder.nbgrader.release import release_lab

            print(f"hand out {release_lab(wanted.lab, root, wanted.aside)}")
            return 0
        if wanted.verb == "report":
            summary = report_lab(wanted.lab, root, wanted.out, wanted.canvas, wanted.moodle)
        else:
            limits = {"cell_seconds": wanted.timeout, "processes": wanted.processes}
            options = Options(wanted.jobs, wanted.engine, not wanted.no_sandbox, **limits)
            with Display(console) as display:
                summary = grade_lab(wanted.lab, wanted.submissions, root, wanted.out, options, display)
    except UserError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"stopped; {AGAIN}", file=sys.stderr)
        return 130
    print_summary(console, summary)
    return 0 if summary.ok else 1


if __name__ == "__main__":
    be_plain()
    quiet()
    sys.exit(main())
