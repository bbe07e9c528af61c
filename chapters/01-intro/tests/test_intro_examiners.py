"""The lab's two examiners, reading and building, give every known answer the same marks."""

import re
from pathlib import Path

import docker  # type: ignore[import-untyped]
import pytest

from authoring.labs import load_misconceptions
from authoring.proof.answers import load_alternatives
from authoring.repository import ROOT
from oakbank.intro.image.enginebuild import Builder
from oakbank.intro.image.examiner import Examiner, Reader, context_files

LAB = "01-containerise-the-model"
SOURCE = ROOT / "solutions" / LAB / f"{LAB}.py"


def cells() -> list[tuple[str, str, str]]:
    """Return header key, name and source of the lab's code cells, in order."""
    found = []
    for cell in re.split(r"^# %%", SOURCE.read_text(), flags=re.MULTILINE)[1:]:
        header, _, source = cell.partition("\n")
        kind = re.search(r'(locked|answer|test)="(\w+)"', header)
        part = re.search(r'part="(\w+)"', header)
        if kind:
            name = f"{kind[2]}-test" if kind[1] == "test" else kind[2]
            found.append((kind[1], name + (f"-{part[1]}" if part else ""), source))
    return found


def points() -> dict[str, int]:
    text = SOURCE.read_text()
    every = re.findall(r'^# %% test="(\w+)"(?: part="(\w+)")? points=(\d+)', text, flags=re.MULTILINE)
    return {f"{name}-test" + (f"-{part}" if part else ""): int(number) for name, part, number in every}


def lost(examiner: Examiner, exercise: str, answer: str | None = None) -> dict[str, int]:
    """Return what an answer loses in the tests of its exercise; without an answer, what the solution loses."""
    space: dict[str, object] = {}
    failed = {}
    for kind, name, source in cells():
        if kind != "test":
            exec(answer if kind == "answer" and name == exercise and answer else source, space)
            if name == "setup":
                space["look"] = examiner
        elif name.startswith(f"{exercise}-"):
            try:
                exec(source, space)
            except (AssertionError, ValueError):
                failed[name] = points()[name]
    return failed


@pytest.fixture(autouse=True)
def no_engine_in_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oakbank.intro.image.examiner.examiner", lambda: Reader())


EXERCISES = [f"ex{number}" for number in range(1, 8)]
KNOWN = [("solution", name, None, {}) for name in EXERCISES]
KNOWN += [(one.name, one.answers, one.source, {}) for one in load_alternatives(LAB, ROOT)]  # type: ignore[misc]
KNOWN += [(one.name, one.answers, one.source, one.loses) for one in load_misconceptions(LAB, ROOT)]  # type: ignore[misc]
FIRST = {row[1]: row[0] for row in reversed(KNOWN) if row[3]}
"""Of the wrong answers to each exercise, the one that the gate builds, too."""


def each(gate: bool) -> pytest.MarkDecorator:
    """Return the test's parameters: all answers, of which the gate leaves out what only the weekly run builds."""
    rows = [
        pytest.param(
            *row[1:],
            id=f"{row[1]}:{row[0]}",
            marks=() if gate or row[0] in FIRST.values() or not row[3] else pytest.mark.weekly,
        )
        for row in KNOWN
    ]
    return pytest.mark.parametrize(("exercise", "source", "loses"), rows)


@each(gate=True)
def test_read(exercise: str, source: str | None, loses: dict[str, int]) -> None:
    assert lost(Reader(), exercise, source) == loses


@pytest.fixture(scope="module")
def builder(engine: docker.DockerClient) -> Builder:
    return Builder(engine)


@pytest.mark.engine
@each(gate=False)
def test_built(builder: Builder, exercise: str, source: str | None, loses: dict[str, int]) -> None:
    assert lost(builder, exercise, source) == loses


WHOLE = """
FROM python:3.11-slim AS build
WORKDIR /wheels
COPY requirements.txt ./
COPY wheelhouse wheelhouse
RUN pip install --no-cache-dir --no-index --find-links wheelhouse --require-hashes -t /packages -r requirements.txt

FROM python:3.11-slim
WORKDIR /app
COPY --from=build /packages /packages
COPY model.json ./
COPY oakbank oakbank
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz')"
CMD ["python", "-m", "uvicorn", "oakbank.intro.service:app", "--host", "0.0.0.0", "--port", "8000"]
"""


@pytest.mark.engine
def test_every_question_has_the_same_answer(builder: Builder) -> None:
    reader = Reader()
    for changed in (["oakbank/intro/service.py"], ["model.json"]):
        assert reader.again(WHOLE, changed) == builder.again(WHOLE, changed)
    assert reader.installed(WHOLE, "/packages") == builder.installed(WHOLE, "/packages")
    assert reader.paths(WHOLE) == builder.paths(WHOLE)
    assert reader.config(WHOLE) == builder.config(WHOLE)
    assert reader.answers(WHOLE) == builder.answers(WHOLE)
    assert reader.health(WHOLE) == builder.health(WHOLE)


@pytest.mark.engine
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mem_limit": "256m"},
        {"mem_limit": "128m", "memswap_limit": "256m"},
        {"cpu_shares": 512, "mem_reservation": "64m"},
        {"cpu_period": 50_000, "cpu_quota": 50_000, "pids_limit": 5},
        {"nano_cpus": 250_000_000, "cap_drop": ["net_raw", "CAP_SYS_ADMIN"], "privileged": False},
        {"read_only": True, "tmpfs": {"/tmp": "", "/run": "size=1m"}, "security_opt": ["no-new-privileges:true"]},
    ],
)
def test_limits_are_the_same(builder: Builder, options: dict[str, object]) -> None:
    assert Reader().limits(options) == builder.limits(options)


@pytest.mark.engine
def test_a_client_sends_what_the_manual_says(builder: Builder) -> None:
    paths = [name for name in context_files() if "wheel" not in name] + [".env", "a/.env", "a/b/.env", "a/b/c.py"]
    for ignore in (
        "*\n!a",
        "**/.env",
        ".env",
        "*\n!model.json\n",
        "a/*\n!a/b",
        "# a\n\n/a/b/\n",
        "**/b/**",
        "*.txt\n!*.in",
    ):
        assert Reader().context(paths, ignore) == builder.sent(paths, ignore), ignore


@pytest.mark.engine
def test_it_removes_no_image_that_another_builder_was_given(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache hands the same image to all who build the same; a removal would take it from under them."""
    one, other = Builder(engine), Builder(engine)
    removed: list[str] = []
    remove = engine.images.remove

    def removing(image: str, **options: object) -> None:
        removed.append(engine.images.get(image).labels["org.oakbank.lab"])
        remove(image, **options)

    monkeypatch.setattr(type(engine.images), "remove", lambda self, *given, **options: removing(*given, **options))
    dockerfile = "FROM python:3.11-slim\nCOPY model.json ./\n"
    for _ in range(2):
        for builder in (one, other):
            assert builder.again(dockerfile, ["model.json"]) == ["COPY model.json ./"]
            assert builder.again(dockerfile, ["oakbank/intro/service.py"]) == []
            assert builder.sent(["model.json"], "") == ["model.json"]
    assert len(set(removed)) == 12
    assert "yes" not in removed
    assert one.config(dockerfile) == other.config(dockerfile)


def test_a_reader_says_why_it_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    from oakbank.intro.image import examiner

    assert "No container engine answers here" in examiner.examiner().how
    with pytest.raises(RuntimeError, match="No container engine"):
        examiner.examiner(engine=True)
