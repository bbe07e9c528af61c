import json
from pathlib import Path

TOP = Path(__file__).parents[1]
APPLICANTS = json.loads((TOP / "data" / "applicants.json").read_text())
EXPECTED = json.loads((TOP / "expected.json").read_text())
