# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["checkov"]
# ///
"""Tour of checkov: the same five rules on the text of the bank's declaration, and on a plan made from it.

    python3 bootstrap.py tour checkov

It has an environment of its own: with what it needs it is as large as half of the course's. The plan is one that
OpenTofu made of `bank.tf` with `-var=lake_is_private=false` (kept beside it, with its day); only its changes were kept,
so the tour adds the block of planned values, which a plan of `tofu show -json` has.
"""

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)

from course.tour import Tour  # noqa: E402

BANK = ROOT / "chapters" / "05-scale" / "reference" / "oakbank" / "scale" / "infrastructure"
RULES = ("CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56", "CKV2_AWS_6")
"""That the four switches of a bucket's block are true, and that there is a block."""


def whole_plan() -> dict[str, Any]:
    """Return the kept plan with its planned values: each resource as it will be."""
    changes = json.loads((BANK / "open_plan.json").read_text(encoding="utf-8"))["resource_changes"]
    names = ("address", "mode", "type", "name", "provider_name")
    resources = [
        {name: one[name] for name in names} | {"schema_version": 0, "values": one["change"]["after"]} for one in changes
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.6.2",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {"root_module": {}},
    }


def switches(plan: dict[str, Any]) -> list[bool]:
    """Return the four switches of the lake's block, as they will be."""
    (block,) = (
        one["change"]["after"] for one in plan["resource_changes"] if one["type"] == "aws_s3_bucket_public_access_block"
    )
    return [
        block[name]
        for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    ]


def failed_of(file: Path, framework: str) -> list[str]:
    """Return which rules checkov says a file breaks, by its command line."""
    command = [str(Path(sys.executable).with_name("checkov")), "--file", str(file), "--framework", framework]
    command += ["--check", ",".join(RULES), "--skip-download", "--compact", "--quiet", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode in (0, 1), done.stderr  # 1: a rule is broken
    return sorted(one["check_id"] for one in json.loads(done.stdout)["results"]["failed_checks"])


def solve(files: dict[str, tuple[Path, str]]) -> dict[str, list[str]]:
    """Return the broken rules of each file."""
    return {name: failed_of(*file) for name, file in files.items()}


def main() -> None:
    """Run the tour."""
    tour = Tour("checkov", "checkov")
    with tempfile.TemporaryDirectory() as folder:
        plan, text, open_text = (Path(folder) / name for name in ("plan.json", "bank.tf", "open.tf"))
        plan.write_text(json.dumps(whole_plan()), encoding="utf-8")
        text.write_bytes((BANK / "bank.tf").read_bytes())
        open_text.write_text(
            (BANK / "bank.tf").read_text(encoding="utf-8").replace("= var.lake_is_private", "= false"), encoding="utf-8"
        )
        shut = tour.plain("looking the switches up in the plan", lambda: switches(json.loads(plan.read_text())))
        found = tour.system_does(
            partial(
                solve,
                {
                    "the text": (text, "terraform"),
                    "the text, opened in it": (open_text, "terraform"),
                    "the plan": (plan, "terraform_plan"),
                },
            )
        )
    for name, broken in found.items():
        tour.say(f"{name}: {', '.join(broken) or 'no rule is broken'}")
    assert shut == [False] * 4
    assert found["the text"] == [], "the variable's default is true, and that is all that the text says"
    assert set(RULES[:4]) <= set(found["the text, opened in it"])
    assert set(RULES[:4]) <= set(found["the plan"])
    tour.say(
        "It follows the variable to its default, where the search of lesson 05/02 does not; "
        "what comes from outside it cannot know."
    )
    tour.end(
        stores="nothing; the report is text, JSON, SARIF or JUnit",
        asks="rules by number, and reasons in the text for those that one skips",
        not_proven="the rules of other clouds, of Dockerfiles and of workflows; policies of one's own",
        real=(
            "pip install checkov  # or uv tool install checkov; the platform behind it (Prisma Cloud) is another thing",
            "tofu show -json back.plan > plan.json && checkov -f plan.json  # exit code 1: a rule is broken",
        ),
    )


if __name__ == "__main__":
    main()
