# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["numpy", "pachyderm-sdk", "pandas<3", "pyarrow", "pydantic", "pyyaml"]
# ///
"""Tour of Pachyderm: a pipeline that a commit of data starts; its specification and its user code, checked apart.

    python3 bootstrap.py tour pachyderm

Pachyderm's server (pachd) lives in Kubernetes. Without one, the specification is built with the real client's types,
and the user code runs on folders shaped like `/pfs`, as a worker would lay them out. With `PACHD_ADDRESS` set, the
tour also creates the repository and the pipeline there, waits for its output, and deletes both.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# Not this folder: a script in it may have the name of a package.
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "chapters" / "01-intro" / "reference"))

import betterproto  # noqa: E402
from pachyderm_sdk import Client  # noqa: E402
from pachyderm_sdk.api import pfs, pps  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.world import World  # noqa: E402

ADDRESS = "PACHD_ADDRESS"
MONTHS = (5, 6, 7, 8)
# What runs in the container, the same text here and there. Standard library only: any Python image will do.
USER_CODE = """
import csv, json, os, pathlib, statistics
pfs = pathlib.Path(os.environ.get("PFS", "/pfs"))
for path in sorted((pfs / "loans").glob("*.csv")):
    with path.open(newline="") as lines:
        incomes = [float(row["income"]) for row in csv.DictReader(lines)]
    report = {"rows": len(incomes), "median_income": statistics.median(incomes)}
    (pfs / "out" / (path.stem + ".json")).write_text(json.dumps(report))
"""


def specification(suffix: str = "") -> dict[str, Any]:
    """Return the pipeline as one would write it for `pachctl create pipeline`; `suffix` keeps two tours apart."""
    return {
        "pipeline": {"name": f"feed-report{suffix}"},
        "description": "One report for each month of applications; a new month makes one new report.",
        "input": {"pfs": {"repo": f"loans{suffix}", "name": "loans", "branch": "master", "glob": "/*"}},
        "transform": {"image": "python:3.11-slim", "cmd": ["python3", "-c", USER_CODE]},
        "parallelismSpec": {"constant": "2"},
        "resourceLimits": {"memory": "256Mi"},
    }


def lost(given: Any, understood: Any, path: str = "") -> list[str]:
    """Return each part of a specification that the client's types do not hold, or hold with another value."""
    if isinstance(given, dict) and isinstance(understood, dict):
        return [one for key in given for one in lost(given[key], understood.get(key), f"{path}.{key}".lstrip("."))]
    return [] if given == understood else [path]


def misspelt() -> dict[str, Any]:
    """Return the specification with the slip that everybody makes once."""
    given = specification()
    given["input"]["pfs"]["globb"] = given["input"]["pfs"].pop("glob")
    return given


def on_pfs(datums: list[list[Path]], home: Path) -> dict[str, str]:
    """Run the user code once for each datum, each on a fresh folder shaped like `/pfs`; return what it put out."""
    outputs: dict[str, str] = {}
    for number, files in enumerate(datums):
        root = home / f"pfs-{len(datums)}-{number}"
        for folder in ("loans", "out"):
            (root / folder).mkdir(parents=True)
        for path in files:
            (root / "loans" / path.name).write_bytes(path.read_bytes())
        command = [sys.executable, "-c", USER_CODE]
        subprocess.run(command, env={**os.environ, "PFS": str(root)}, check=True)  # noqa: S603
        outputs |= {path.name: path.read_text() for path in sorted((root / "out").iterdir())}
    return outputs


def on_server(tour: Tour, files: list[Path], expected: dict[str, str]) -> None:
    """Create repository and pipeline on a real server, wait for the output of a commit, and delete both."""
    client = Client.from_pachd_address(os.environ[ADDRESS])
    tour.say(f"server: {client.get_version()}")
    suffix = f"-tour-{time.time_ns():x}"
    project = pfs.Project(name="default")
    repo = pfs.Repo(name=f"loans{suffix}", type="user", project=project)
    pipeline = pps.Pipeline(name=f"feed-report{suffix}", project=project)
    client.pfs.create_repo(repo=repo)
    try:
        client.pps.create_pipeline_v2(create_pipeline_request_json=json.dumps(specification(suffix)))
        with client.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
            for path in files:
                commit.put_file_from_bytes(path=f"/{path.name}", data=path.read_bytes())
        client.pfs.wait_commit_set(pfs.CommitSet(id=commit.id))
        branch = pfs.Branch(repo=pfs.Repo(name=pipeline.name, type="user", project=project), name="master")
        head = pfs.Commit(branch=branch, repo=branch.repo)
        for name, text in expected.items():
            with client.pfs.pfs_file(pfs.File(commit=head, path=f"/{name}")) as file:
                if file.read().decode() != text:
                    raise RuntimeError(f"{name}: the server's output is not that of the same code here")
        tour.say(f"- the server's {len(expected)} outputs are those of the local run")
    finally:
        client.pps.delete_pipeline(pipeline=pipeline, force=True)
        client.pfs.delete_repo(repo=repo, force=True)


def main() -> None:
    """Run the tour."""
    tour = Tour("Pachyderm", "pachyderm-sdk")
    given = specification()
    request = pps.CreatePipelineRequest().from_dict(given)
    if problems := lost(given, request.to_dict()):
        raise RuntimeError(f"the client's types do not hold {problems}")
    if pps.CreatePipelineRequest().parse(bytes(request)) != request:
        raise RuntimeError("the request does not survive its own wire format")
    tour.say(f"- the specification fits the client's types, {len(bytes(request)):,} bytes on the wire:")
    shown = request.to_dict() | {"transform": {**given["transform"], "cmd": ["python3", "-c", "<the user code>"]}}
    tour.say("    " + json.dumps(shown, indent=2).replace("\n", "\n    "))

    slip = misspelt()
    taken = pps.CreatePipelineRequest().from_dict(slip)
    tour.say(f"- `globb` for `glob`: the types take it without a word (glob is {taken.input.pfs.glob!r})")
    tour.say(
        f"  comparing what went in with what came out names it: {lost(slip, taken.to_dict(betterproto.Casing.CAMEL))}"
    )

    world = World(seed=7, scenario="broken-feed-unit")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        files = []
        for month in MONTHS:
            files.append(home / f"month={month:+03d}.csv")
            world.applications(month).to_csv(files[-1], index=False, lineterminator="\n")
        together, apart = on_pfs([files], home), on_pfs([[path] for path in files], home)
        if together != apart or len(apart) != len(files):
            raise RuntimeError("the user code is not safe to split: glob must be `/`, not `/*`")
        tour.say(f"- user code on /pfs-shaped folders: glob `/*`, {len(files)} datums, and glob `/`, one: same output")
        for name, text in apart.items():
            tour.say(f"    {name}  {text}")
        missing = ""
        if os.environ.get(ADDRESS):
            on_server(tour, files, apart)
        else:
            missing = f"pachd needs a Kubernetes cluster and its images, and {ADDRESS} names none"
    tour.end(
        stores="each repository's files once by content, in an object store; commits and provenance in PostgreSQL",
        not_proven=(
            "no commit started anything, no datum was skipped because it was known, no provenance was kept: "
            "the folders were laid out by this script, not by a Pachyderm worker"
            if missing
            else "one commit on one cluster: no second commit, so no datum that was skipped because it was known"
        ),
        real=(f"export {ADDRESS}=grpcs://pachd.example:443", "export PACH_PYTHON_AUTH_TOKEN=..."),
        missing=missing,
    )


if __name__ == "__main__":
    main()
