"""Who need not pass a gate yet: the one list of it, which can only become shorter."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from authoring.lesson.text import Fault
from base.errors import BuildError

LIST = "authoring/lesson/excused.yml"


class Excuses:
    """The list of a repository: gate -> lessons (`02/05`) and labs. Where there is none, nobody is excused."""

    def __init__(self, root: Path) -> None:
        path = root / LIST
        self.by_gate: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def require(self, gates: Iterable[str], names: Iterable[str]) -> None:
        """Raise `BuildError` where the list names a gate, a lesson or a lab that there is not."""
        listed = {name for names in self.by_gate.values() for name in names}
        if unknown := sorted((set(self.by_gate) - set(gates)) | (listed - set(names))):
            raise BuildError(f"{LIST}: there is no gate, lesson or lab {', '.join(unknown)}: take it off the list")

    def pardon(self, name: str, source: str, gate: str, faults: list[Fault]) -> list[str]:
        """Return the faults of a lesson or lab that no excuse covers, as `source:line: what`.

        An excuse that is not needed any more is a fault.
        """
        if name in self.by_gate.get(gate, ()):
            shorter = f"passes the gate `{gate}`: take {name} off that list in {LIST}"
            faults = [] if faults else [Fault(1, shorter)]
        return [f"{source}:{fault.line}: {fault.says}" for fault in faults]
