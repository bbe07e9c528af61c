"""A course of nbgrader in its own folders, with one lab: what the trials are held in."""

from pathlib import Path

from autograder.lab.settings import CONFIG
from autograder.lab.text import source_notebook, to_json
from autograder.nbgrader.release import generate_assignment
from base.files import write_text

SETTINGS = """c = get_config()
c.CourseDirectory.course_id = "trials"
c.CourseDirectory.ignore = ["*.py", "*.pyc", "__pycache__", ".ipynb_checkpoints"]
c.ClearSolutions.code_stub = {"python": "...  # your code here"}
c.Execute.timeout = 60
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.log_level=40"]
c.Exchange.root = "no-exchange"
"""


def make_course(root: Path, lab: str, text: str, gradebook: bool = True) -> None:
    """Make a course in `root` whose only lab is made from a text, which stays beside its notebook; and release it."""
    path = root / "source" / lab / f"{lab}.py"
    write_text(root / CONFIG, SETTINGS)
    write_text(path, text[text.index("# %%") :])
    write_text(path.with_suffix(".ipynb"), to_json(source_notebook(path, path.name)))
    generate_assignment(lab, root, gradebook)


def release_of(root: Path, lab: str) -> Path:
    """Return the notebook that students get."""
    return root / "release" / lab / f"{lab}.ipynb"


def submission_of(root: Path, lab: str, student: str) -> Path:
    """Return where a student's notebook goes."""
    return root / "submitted" / student / lab / f"{lab}.ipynb"
