"""Handing out a lab: nbgrader's own release, and the lab in nbgrader's gradebook."""

from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log

from authoring.labs import source_notebook
from authoring.notebooks import to_json
from autograder.cohort.run import folders
from autograder.lab.kept import holds_answers, put_aside
from autograder.lab.key import settings_of
from base.errors import UserError
from base.process import own_tools


def _keep_answers(folder: Path, course: Path, aside: bool) -> None:
    """Put aside what somebody answered in a release, or stop."""
    kept = folders(course, None).out / "kept"
    for path in sorted(folder.glob("*.ipynb")):
        if not holds_answers(path):
            continue
        if not aside:
            raise UserError(
                f"{path} holds somebody's answers and is left as it is: save a copy of your own under another name, "
                f"or add --aside, which moves it to {kept}"
            )
        put_aside(path, course, kept)


def release_lab(lab: str, course: Path, aside: bool = False) -> Path:
    """Make the release of a lab as nbgrader's settings say, and enter the lab into the gradebook.

    Args:
        lab: Name of the lab.
        course: The course's folder.
        aside: Move a release that holds answers out of the way.

    Returns:
        The folder to hand out.

    Raises:
        UserError: There is no such lab, its text and its notebook differ, its release holds somebody's answers, or
            nbgrader refuses it.
    """
    config = settings_of(course).config
    config.CourseDirectory.assignment_id = lab
    config.GenerateAssignment.force = True  # a release that is there is made anew
    directory = CourseDirectory(config=config)
    source = Path(directory.format_path(directory.source_directory, ".", lab))
    text, notebook = source / f"{lab}.py", source / f"{lab}.ipynb"
    if not source.is_dir():
        there = sorted(path.name for path in source.parent.glob("*") if any(path.glob("*.ipynb")))
        raise UserError(f"there is no lab {lab!r}; there are: {', '.join(there) or 'none'}")
    if text.is_file() and (
        not notebook.is_file() or to_json(source_notebook(lab, course)) != notebook.read_text(encoding="utf-8")
    ):
        raise UserError(
            f"{notebook} is not what its text makes. What was changed in the notebook itself, carry over into "
            f"{text.name} first: `python3 bootstrap.py build --only {lab}` writes the notebook anew"
        )
    _keep_answers(Path(directory.format_path(directory.release_directory, ".", lab)).resolve(), course, aside)
    converter = GenerateAssignment(coursedir=directory, config=config)
    converter.log.propagate = False
    with own_tools():
        result = capture_log(converter)
    if not result["success"]:
        raise UserError(f"nbgrader cannot make the release of {lab}:\n" + result.get("log", result["error"]))
    return Path(directory.format_path(directory.release_directory, ".", lab)).resolve()
