"""`course doctor`: what this machine has, and what each missing part costs you."""

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from authoring.repository import ROOT
from base import offline
from base.process import cores

PACKAGES = (
    "evidently",
    "jupyterlab",
    "kfp",
    "lightgbm",
    "mlflow",
    "nbgrader",
    "papermill",
    "pyarrow",
    "shap",
    "sklearn",
)
MEMORY_GB, DISK_GB = 2.0, 3.0
DOCKER_SECONDS = 3
KUBERNETES_SECONDS = 3


@dataclass(frozen=True)
class Finding:
    """One part of the machine: what was found, and, where that is not enough, what it costs."""

    part: str
    found: str
    costs: str = ""  # empty: nothing is missing
    required: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return not self.costs


def python() -> Finding:
    """The interpreter."""
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    costs = "" if good else "nothing is sure to work: the course needs Python 3.11, 3.12 or 3.13"
    return Finding("Python", sys.version.split()[0], costs, required=True)


def packages() -> Finding:
    """The environment."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return Finding("packages", "all there", required=True)
    return Finding(
        "packages",
        f"without {', '.join(missing)}",
        "lessons stop at an import: use bootstrap.py",
        required=True,
    )


def memory_limit() -> int:
    """Return how many bytes of memory there are: the machine's, or the limit of the container we are in."""
    total = psutil.virtual_memory().total
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or `max`: no limit
            continue
    return total


def memory() -> Finding:
    """Memory: 2 GB carry JupyterLab and one lesson at a time."""
    gigabytes = memory_limit() / 1e9
    costs = ""
    if gigabytes < MEMORY_GB * 0.95:
        costs = f"some lessons will be killed: they need {MEMORY_GB:.0f} GB"
    elif gigabytes < 4:
        costs = "use `python3 bootstrap.py run --jobs 1`, and shut kernels down that you no longer need"
    return Finding("memory", f"{gigabytes:.1f} GB", costs, required=gigabytes < MEMORY_GB * 0.95)


def disk(root: Path = ROOT) -> Finding:
    """Free disk, where the course writes."""
    gigabytes = shutil.disk_usage(root).free / 1e9
    costs = "" if gigabytes >= DISK_GB else f"runs and tours may stop half-way: leave {DISK_GB:.0f} GB free"
    return Finding("free disk", f"{gigabytes:.0f} GB", costs)


def container_engine() -> Finding:
    """A container engine that answers."""
    try:
        from oakbank.intro.containers import NO_ENGINE, engine
    except ImportError:
        return Finding("container engine", "unknown", "not installed: run `python3 bootstrap.py doctor`")

    said: list[str] = []
    client = engine(said.append, DOCKER_SECONDS)
    if client is None:  # what lesson 01/07 would print, and what it means
        found = "there, but not ready"
        if said == [NO_ENGINE]:
            found = "installed, but does not answer" if shutil.which("docker") else "none"
        costs = "lesson 01/07 builds nothing, lab 01-containerise-the-model is graded by the Dockerfile's text"
        return Finding("container engine", found, f"{costs}. {said[0]}")
    version = client.version()["Version"]
    client.close()
    return Finding("container engine", f"Docker API, {version}")


def kubernetes() -> Finding:
    """A Kubernetes cluster that answers; asked by kubectl, which lesson 01/08 needs too."""
    costs = "lesson 01/08 checks its manifests but applies none"
    if shutil.which("kubectl") is None:
        return Finding("Kubernetes", "none", f"{costs}: install kubectl, and kind or minikube")
    if reason := _not_offered():
        return Finding("Kubernetes", "a cluster that the course leaves alone", f"{costs}. {reason}")
    question = ["kubectl", "get", "--raw", "/version", f"--request-timeout={KUBERNETES_SECONDS}s"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=3 * KUBERNETES_SECONDS, check=True)  # noqa: S603
        version = json.loads(answer.stdout)["gitVersion"]
    except (subprocess.SubprocessError, OSError, ValueError, KeyError, TypeError):
        costs += ": `kind create cluster` makes a cluster, with Docker running"
        return Finding("Kubernetes", "kubectl, and no cluster that answers", costs)
    return Finding("Kubernetes", f"a cluster, {version}")


def _not_offered() -> str:
    """Return why lesson 01/08 would not use the cluster that kubectl is set to; nothing where it would, or none is."""
    try:
        from kubernetes.config import ConfigException  # type: ignore[import-untyped]

        from oakbank.intro.cluster import NotOfferedError, current_context
    except ImportError:  # `doctor` runs before the packages are installed, too
        return ""
    try:
        current_context()
    except NotOfferedError as reason:
        return str(reason)
    except ConfigException:
        return ""
    return ""


def terraform() -> Finding:
    """Terraform or OpenTofu."""
    tool = next((name for name in ("terraform", "tofu") if shutil.which(name)), None)
    costs = "" if tool else "lesson 05/02 reads and checks the infrastructure code, but does not plan or apply it"
    return Finding("terraform or tofu", tool or "none", costs)


def uv() -> Finding:
    """The package manager, which also runs the tours."""
    found = shutil.which("uv")
    costs = "" if found else "no tours of outside systems: each brings an environment of its own, made by uv"
    return Finding("uv", "there" if found else "none", costs)


def network() -> Finding:
    """A way out. Nothing is sent to find out."""
    if offline.has_network():
        return Finding("network", "there")
    return Finding("network", "none", "only tours miss it: on their first run they fetch their packages")


def namespaces() -> Finding:
    """Whether the network can be cut off, to show that lessons do not use it."""
    reason = offline.why_not()
    if reason is None:
        return Finding("network namespaces", "allowed")
    return Finding("network namespaces", "not allowed", f"no `python3 bootstrap.py run --offline`: {reason}")


def bytecode() -> Finding:
    """Whether the packages are compiled: if not, imports are slow, each time where Python may not write its cache."""
    spec = importlib.util.find_spec("mlflow")
    origin = spec.origin if spec is not None else None
    if origin is None:
        return Finding("compiled packages", "unknown", "not installed: run `python3 bootstrap.py doctor`")
    if Path(importlib.util.cache_from_source(origin)).is_file():
        return Finding("compiled packages", "yes")
    costs = "the first import of each package is slow"
    if sys.dont_write_bytecode:
        costs = "every import is slow, every time (PYTHONDONTWRITEBYTECODE is set): make .venv anew"
    return Finding("compiled packages", "no", costs)


def examine(root: Path = ROOT) -> list[Finding]:
    """Look at everything; takes a few seconds at most."""
    findings = [python(), packages(), memory(), Finding("cores", str(cores())), disk(root), bytecode(), uv()]
    return [*findings, container_engine(), kubernetes(), terraform(), network(), namespaces()]


def render(findings: list[Finding]) -> Group:
    """Return the table of findings and one closing line."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("part", no_wrap=True)
    table.add_column("found")
    table.add_column("what that costs you")
    for finding in findings:
        style = "green" if finding.ok else "bold red" if finding.required else "yellow"
        table.add_row(finding.part, Text(finding.found, style=style), Text(finding.costs))
    stopped = [finding.part for finding in findings if finding.required and not finding.ok]
    if stopped:
        last = Text(f"The course cannot run here yet: {', '.join(stopped)}.", style="bold red")
    elif all(finding.ok for finding in findings):
        last = Text("All there.", style="green")
    else:
        last = Text("The course runs here; lessons say where a part is missing, and go on.", style="green")
    return Group(table, last)
