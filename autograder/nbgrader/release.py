"""Handing out a lab: nbgrader's own release, and the lab in nbgrader's gradebook."""

from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log

from autograder.cohort.store import folders
from autograder.lab.cells import holds_answers
from autograder.lab.settings import folder_of, settings_of, source_folder
from base.errors import BuildError, UserError
from base.files import put_aside
from base.process import own_tools


def generate_assignment(lab: str, course: Path, gradebook: bool = True, anew: bool = False) -> Path:
    """Run nbgrader's generate_assignment.

    Args:
        lab: Name of the lab.
        course: The course's folder.
        gradebook: Enter the lab into the gradebook, which grading needs and making a release does not.
        anew: Make a release anew that is there.

    Returns:
        The folder of the release.

    Raises:
        BuildError: nbgrader refused, with what it said.
    """
    config = settings_of(course).config
    config.CourseDirectory.assignment_id = lab
    config.GenerateAssignment.force = anew
    if not gradebook:  # as `nbgrader generate_assignment --no-db`
        config.SaveCells.enabled = False
        config.GenerateAssignment.no_database = True
    directory = CourseDirectory(config=config)
    converter = GenerateAssignment(coursedir=directory, config=config)
    converter.log.propagate = False
    with own_tools():
        result = capture_log(converter)
    if not result["success"]:
        raise BuildError(f"nbgrader cannot make the release of {lab}:\n" + result.get("log", result["error"]))
    return folder_of(directory, directory.release_directory, lab).resolve()


def release_lab(lab: str, course: Path, aside: bool = False) -> Path:
    """Make the release of a lab as nbgrader's settings say, and enter the lab into the gradebook.

    Args:
        lab: Name of the lab.
        course: The course's folder.
        aside: Move a release that holds answers out of the way.

    Returns:
        The folder to hand out.

    Raises:
        UserError: There is no such lab, its release holds somebody's answers, or nbgrader refuses it.
    """
    directory = settings_of(course)
    source_folder(directory, lab)
    _keep_answers(folder_of(directory, directory.release_directory, lab).resolve(), course, aside)
    return generate_assignment(lab, course, anew=True)


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
