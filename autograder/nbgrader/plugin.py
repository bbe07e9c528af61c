"""nbgrader's own `autograde`, formgrader's button included, with the kernels, sandbox and examiner of this package.

`nbgrader_config.py` names `Examine` in place of nbgrader's `Execute`; all else of nbgrader stays as it is.
"""

import atexit
import json
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, Float

from autograder.examiner.grader import Grader
from autograder.examiner.handles import Limits
from autograder.lab.key import load_key, notebooks
from autograder.model import Submission
from autograder.outputs.graded import autograded_notebook
from kernels.forks import can_fork


@cache
def _grader(lab: str, notebook: str, root: Path, seconds: float, sandbox: bool) -> tuple[Grader, Any]:
    name = notebook if len(notebooks(lab, root)) > 1 else None
    key = load_key(lab, root, name)
    grader = Grader(key, Limits(cell_seconds=seconds), sandbox, jobs=1, hidden=[root])
    atexit.register(grader.close)
    return grader, key


class Examine(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs a submission as a run of a whole cohort does, and leaves the verdicts where nbgrader looks for them.

    A failed test shows why it failed, and partial credit is the test's last value.
    """

    sandbox = Bool(True, help="Confine the students' code.").tag(config=True)
    timeout = Float(60, help="Seconds that one cell may take.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the graded notebook (nbgrader has put the instructor's cells in already)."""
        if not can_fork():
            self.log.warning(
                "the sandbox and the examiner need Linux: graded by nbgrader's own Execute, with your rights"
            )
            ran: tuple[Any, Any] = Execute(parent=self.parent).preprocess(nb, resources)
            return ran
        about = resources["nbgrader"]
        root = Path(CourseDirectory(config=self.config).root).resolve()
        grader, key = _grader(about["assignment"], about["notebook"], root, self.timeout, self.sandbox)
        text = nbformat.writes(nb)  # type: ignore[no-untyped-call]
        result = grader.grade(Submission(about["student"], text.encode()))
        graded = nbformat.from_dict(json.loads(autograded_notebook(result, key)))  # type: ignore[no-untyped-call]
        return graded, resources
