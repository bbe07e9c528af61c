"""nbgrader's settings for this course: `solutions/` is the source, `labs/` the release, `grading/` all that is made."""

from importlib.metadata import version
from pathlib import Path

from autograder.nbgrader.steps import OURS

root = Path(__file__).resolve().parent
(root / "grading").mkdir(exist_ok=True)  # SQLite makes no folder for the gradebook

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # put there by traitlets

c.CourseDirectory.course_id = "oakbank"
c.CourseDirectory.root = str(root)
c.CourseDirectory.db_url = f"sqlite:///{root / 'grading' / 'gradebook.db'}"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
# nbgrader copies every file of the source folder: the text with the answers and the wrong answers must stay behind.
c.CourseDirectory.ignore = [
    "*.py",
    "*.pyc",
    "alternatives",
    "misconceptions",
    "mutants.yml",
    "__pycache__",
    ".ipynb_checkpoints",
    "mlruns",
    "mlflow.db",
]

# A stub that returns None lets the visible test speak; NotImplementedError would hide its hint.
c.ClearSolutions.code_stub = {"python": "...  # your code here"}
# Also what formgrader's button grades runs in our kernels, out of reach of everything else.
c.Autograde.autograde_preprocessors = list(OURS)
c.Execute.timeout = 60
# nbgrader's own default, and kernels that keep their advice about transports to themselves.
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.log_level=40"]

# Labs are handed out and in as files: there is no exchange, and nbgrader shall find none on the machine.
c.Exchange.root = str(root / "grading" / "no-exchange")

# What the grader's messages tell you to type, where another course would be told nbgrader's own commands; and where a
# learner's copies are, if somebody hands in the whole repository. See `autograder/lab/settings.py`.
c.OwnWays.grade = "python3 bootstrap.py grade {lab}"
c.OwnWays.release = "python3 bootstrap.py build"
c.OwnWays.copies = "work/labs"
c.OwnWays.version = version("oakbank-course")
