"""OpenTofu itself, where a machine has it; and a plan that it made, kept for machines that do not.

    python -m oakbank.scale.infrastructure.tofu     makes the kept plan again

OpenTofu gets its AWS provider from the folder that `OAKBANK_PROVIDERS` names, never from the network. With a network,
`tofu providers mirror FOLDER` beside `bank.tf` fills one.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oakbank.scale.infrastructure.bank import BANK_TF
from oakbank.scale.infrastructure.emulator import emulated
from oakbank.scale.infrastructure.workspace import InfrastructureError
from oakbank.world.files import write_text

KEPT = Path(__file__).with_name("open_plan.json")
PASSWORD = "not-a-real-password"  # noqa: S105
_PROVIDERS = "OAKBANK_PROVIDERS"


@dataclass(frozen=True)
class Tofu:
    """OpenTofu on this machine, with a folder of providers."""

    command: str
    providers: Path
    versions: dict[str, str]

    def run(self, *arguments: str, folder: Path) -> str:
        """Run a command in a folder and return what it printed.

        Raises:
            InfrastructureError: It failed; with what it said.
        """
        done = subprocess.run([self.command, *arguments], cwd=folder, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            raise InfrastructureError(f"tofu {' '.join(arguments)}:\n{done.stderr}")
        return done.stdout


def find_tofu() -> Tofu | None:
    """Return OpenTofu and its providers; None where this machine has no `tofu`, or no AWS provider in the folder."""
    command, folder = shutil.which("tofu"), os.environ.get(_PROVIDERS)
    found = sorted(Path(folder).glob("*/hashicorp/aws/*/*/terraform-provider-aws*")) if folder else []
    if not command or not folder or not found:
        return None
    said = subprocess.run([command, "version", "-json"], capture_output=True, text=True, check=True)  # noqa: S603
    versions = {
        "OpenTofu": json.loads(said.stdout)["terraform_version"],
        "the AWS provider": found[-1].parents[1].name,
        "moto": importlib.metadata.version("moto"),
    }
    return Tofu(command, Path(folder), versions)


def kept_plan() -> dict[str, Any]:
    """Return OpenTofu's plan of `bank.tf` for an empty account, with a lake that is not private.

    It is what `show -json` gives. `made_with` says the day and the versions; of the plan `resource_changes` are kept.
    """
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return kept


def open_plan(tofu: Tofu, folder: Path) -> dict[str, Any]:
    """Have OpenTofu plan `bank.tf`, in an empty account, with a lake that is not private.

    Args:
        tofu: With the AWS provider.
        folder: An empty one.
    """
    shutil.copy(BANK_TF, folder)
    with emulated():
        os.environ |= {"TF_VAR_database_password": PASSWORD}
        tofu.run("init", f"-plugin-dir={tofu.providers}", folder=folder)
        tofu.run("plan", "-var=lake_is_private=false", "-out=open.plan", folder=folder)
        plan = json.loads(tofu.run("show", "-json", "open.plan", folder=folder))
    made_with = {"day": plan["timestamp"][:10], **tofu.versions}
    return {"made_with": made_with, "resource_changes": plan["resource_changes"]}


def main() -> None:
    """Make the kept plan again.

    Raises:
        InfrastructureError: This machine lacks OpenTofu or its provider.
    """
    tofu = find_tofu()
    if tofu is None:
        raise InfrastructureError(
            f"this needs `tofu` on PATH and its AWS provider in the folder that {_PROVIDERS} names"
        )
    with tempfile.TemporaryDirectory() as folder:
        write_text(KEPT, json.dumps(open_plan(tofu, Path(folder)), indent=1) + "\n")


if __name__ == "__main__":
    main()
