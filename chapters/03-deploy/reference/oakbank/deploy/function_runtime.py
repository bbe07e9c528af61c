"""What runs inside a function's process: `python function_runtime.py HANDLER.py`, an event a line in, an answer out.

It imports nothing but Python's own library, so that what a start costs is what the handler imports.
"""

import json
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Load the handler, then answer events until the input ends. An exception is an answer, too."""
    file = Path(sys.argv[1])
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the handler prints must not look like an answer
    names: dict[str, Any] = {"__name__": file.stem, "__file__": str(file)}
    exec(compile(file.read_text(encoding="utf-8"), file, "exec"), names)  # noqa: S102 - the learner's own file
    for line in sys.stdin:
        try:
            answer = {"value": names["handler"](json.loads(line), None)}
            text = json.dumps(answer)
        except Exception as error:  # the function's own, whatever it is: its caller hears of it
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        answers.write(text + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
