"""The graded notebooks that formgrader opens: the instructor's own, the student's text and outputs made safe.

nbgrader itself is not imported: with it, the process that makes these would start much later.
"""

import hashlib
import json
import re
from typing import Any

import nbformat

from autograder.model import ANSWER, EXTRA, LOCKED, MANUAL, PICTURES, TEST, Cell, CellRun, Key, Output, Result
from autograder.outputs.pictures import decoded, pieces, safe_picture, safe_table, tag
from base.text import safe_text, shorten

_V4: Any = nbformat.v4  # untyped
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def is_task(cell: Cell, key: Key) -> bool:
    """Whether it is nbgrader's task cell: marked by a human, but nothing in it is the student's."""
    return cell.kind == MANUAL and cell.grade_id not in key.stubs


def _metadata(cell: Cell, key: Key) -> dict[str, Any]:
    """Return nbgrader's metadata of one of its cells, without the checksum."""
    task = is_task(cell, key)
    graded = cell.kind in (TEST, MANUAL)
    metadata: dict[str, Any] = {
        "cell_type": cell.cell_type,
        "grade": graded and not task,
        "grade_id": cell.grade_id,
        "locked": task or cell.kind in (LOCKED, TEST),
        "schema_version": 3,
        "solution": cell.kind in (ANSWER, MANUAL) and not task,
        "task": task,
    }
    return metadata | ({"points": cell.points} if graded else {})


def _node(cell_type: str, source: str, number: int) -> Any:
    """Return a new cell; it is the whole notebook that is validated."""
    kind = cell_type if cell_type in ("code", "markdown") else "raw"
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
    return nbformat.from_dict(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))  # type: ignore[no-untyped-call]


def _checksum(node: Any) -> str:
    """Return nbgrader's checksum of a cell, as `nbgrader.utils.compute_checksum` does."""
    marks = node.metadata.nbgrader
    parts = [node.source, node.cell_type, *(str(marks[flag]) for flag in ("grade", "solution", "locked"))]
    parts += [marks.grade_id, *([str(float(marks.points))] if marks.grade else [])]
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def released(cell: Cell, key: Key, number: int) -> Any:
    """Return a cell of the instructor as nbgrader keeps it: answers as handed out, tests whole, with its checksum."""
    node = _node(cell.cell_type, key.stubs.get(cell.grade_id, cell.source), number)
    if cell.grade_id:
        node.metadata["nbgrader"] = _metadata(cell, key)
        node.metadata.nbgrader["checksum"] = _checksum(node)
    return node


_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!(?=\[)")
_LINK = re.compile(r"\](?=[:\[])|\](?=\()(?!\((?:https?://|mailto:)[\w.~:/?#@!$&*+,;=%-]++\))")
"""What makes a link or what a link refers to, but for a link to a page or an address that is written out."""
_LINKING_MATHS = re.compile(r"(?<!\\)\\++(?=(?:href|require|unicode|cssId|class|style)\b)")


def _written(run: CellRun) -> str:
    """Return a student's text for the formgrader, which renders markdown in the instructor's session.

    It keeps HTML and `javascript:` links: here tags, pictures from elsewhere and most links of markdown stay text.
    """
    source = safe_text(run.source)
    return source if run.cell_type == "code" else _plain(source)


def _plain(source: str) -> str:
    """Return markdown in which nothing is live but links that one sees."""
    return _LINKING_MATHS.sub("", _LINK.sub("] ", _PICTURE.sub("! ", _TAG.sub("&lt;", source))))


def _write(node: Any, run: CellRun) -> None:
    """Put a student's text into a cell; pictures whose data stand in a written text become its attachments."""
    if node.cell_type != "markdown":
        node.source = _written(run)
        return
    texts, pictures = list[str](), dict[str, dict[str, str]]()
    for piece in pieces(safe_text(run.source)):
        if isinstance(piece, str):
            texts.append(_plain(piece))
        elif (data := decoded(piece)) is None:
            texts.append("(a picture that cannot be shown)")
        else:
            name = f"picture-{len(pictures) + 1}.{piece.kind}"
            pictures[name] = {PICTURES[piece.kind]: data}
            texts.append(f"![{piece.alt or 'A picture of the answer'}](attachment:{name})")
    node.source = "".join(texts)
    if pictures:
        node.attachments = pictures


def _picture(output: Output) -> Any:
    """Return nbformat's output of a picture. Formgrader would put an SVG into the page, where it could run scripts."""
    alt, data = "A picture that this cell drew", safe_picture(output.kind, output.text)
    if data is None:
        return _V4.new_output("display_data", {"text/plain": "(a picture that cannot be shown)"})
    if output.kind in ("png", "jpeg"):
        media = PICTURES[output.kind]
        return _V4.new_output("display_data", {media: data}, metadata={media: {"alt": alt}})
    return _V4.new_output("display_data", {"text/html": str(tag(output.kind, data, alt))})


def _output(output: Output) -> Any:
    """Return nbformat's output: text as text, pictures and tables made safe, nothing else."""
    if output.kind in PICTURES:
        return _picture(output)
    if output.kind == "html":
        return _V4.new_output("display_data", {"text/html": str(safe_table(output.text))})
    shown = shorten(safe_text(output.text))
    if output.kind in ("stdout", "stderr"):
        return _V4.new_output("stream", name=output.kind, text=shown)
    if output.kind == "result":
        return _V4.new_output("execute_result", {"text/plain": shown}, execution_count=None)
    lines = shown.rstrip("\n").split("\n")
    name, _, value = lines[-1].partition(": ")
    return _V4.new_output("error", ename=name, evalue=value, traceback=lines)


def autograded_notebook(result: Result, key: Key) -> str:
    """Return the graded notebook for `autograded/`, as JSON: the instructor's own, whole tests in it.

    Locked cells are the key's, the student's text and outputs are made safe, since formgrader shows them in the
    instructor's session. Where a submission could not be read it is the lab as handed out, with the reason on top.
    """
    cells = {cell.grade_id: cell for cell in key.cells if cell.grade_id}
    runs = result.cells or tuple(
        CellRun(cell.kind, cell.cell_type, key.stubs.get(cell.grade_id, cell.source), cell.grade_id)
        for cell in key.cells
    )
    nodes = []
    if told := [line for line in (result.fault, *result.notes) if line]:
        lines = "\n".join(f"- {_written(CellRun(EXTRA, 'markdown', line))}" for line in told)
        nodes.append(_node("markdown", f"**From the grader**\n\n{lines}", 0))
    for number, run in enumerate(runs, 1):
        cell = cells.get(run.grade_id)
        if cell is None:
            node = _node(run.cell_type, run.source, number)
            if run.kind == EXTRA:
                _write(node, run)
        else:
            node = released(cell, key, number)
            if run.kind in (ANSWER, MANUAL) and not is_task(cell, key):
                _write(node, run)
        if node.cell_type == "code":
            node.outputs = [_output(output) for output in run.outputs]
        nodes.append(node)
    notebook = _V4.new_notebook(cells=nodes, metadata={"kernelspec": KERNEL})
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
