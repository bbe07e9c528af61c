"""Reading a Dockerfile, a .dockerignore, a pip command: as Docker's manual says."""

import os
import shutil
import subprocess
from pathlib import Path

import docker  # type: ignore[import-untyped]
import pytest
from docker.utils.build import exclude_paths  # type: ignore[import-untyped]

from oakbank.intro.image.dockerfile import BASE_ENV, DockerfileError, parse, put_in, words
from oakbank.intro.image.dockerignore import in_context, left_out
from oakbank.intro.image.healthprobe import probe
from oakbank.intro.image.imageplan import Plan, seconds
from oakbank.intro.image.pipcommand import commands, installs
from oakbank.intro.wheelhouse import CONTAINER


def only(text: str, keyword: str) -> tuple[str, ...]:
    """Return the words of the one instruction of a kind."""
    (found,) = [one for one in parse(text).final.instructions if one.keyword == keyword]
    return found.words


class TestInstructions:
    def test_lines_go_on_and_comments_stand_between(self) -> None:
        text = "FROM a\nRUN one && \\\n  # a comment\n\n    two\nCOPY a \\\n b /c"
        assert only(text, "RUN") == ("one && two",)
        assert only(text, "COPY") == ("a", "b", "/c")
        assert [one.line for one in parse(text).final.instructions] == [2, 6]

    def test_another_escape_character(self) -> None:
        assert only("# escape=`\nFROM a\nCOPY x `\n y\\z", "COPY") == ("x", "y\\z")
        assert only("# a comment first\n# escape=`\nFROM a\nCOPY x \\\n y", "COPY") == ("x", "y")

    def test_both_forms_of_a_command(self) -> None:
        exec_form, shell = parse('FROM a\nCMD ["a", "b c"]').final, parse("FROM a\nCMD a 'b c'").final
        assert exec_form.instructions[0].json
        assert exec_form.instructions[0].words == ("a", "b c")
        assert not shell.instructions[0].json
        assert shell.instructions[0].words == ("a 'b c'",)

    def test_single_quotes_are_no_json(self) -> None:
        assert not parse("FROM a\nCMD ['a', 'b']").final.instructions[0].json

    def test_flags(self) -> None:
        one = parse("FROM a AS b\nFROM c\nCOPY --from=b --chown=1:1 /x /y").final.instructions[0]
        assert one.flags == {"from": "b", "chown": "1:1"}
        assert one.words == ("/x", "/y")
        assert one.source == "COPY --from=b --chown=1:1 /x /y"

    @pytest.mark.parametrize(
        "text",
        ["", "RUN x\nFROM a", "FROM a\nFETCH b", "FROM a b", "FROM", "FROM a\nCOPY", "FROM a\nENV A='b", "FROM $X"],
    )
    def test_what_is_no_dockerfile(self, text: str) -> None:
        with pytest.raises(DockerfileError):
            parse(text)

    def test_buildkit_is_named(self) -> None:
        text = "FROM a\nRUN --mount=type=cache,target=/c x\nRUN <<E\nRUN y\nCOPY a b"
        assert [one.line for one in parse(text).needs_buildkit()] == [2, 3]


class TestStages:
    def test_names_numbers_and_parents(self) -> None:
        found = parse("FROM a AS One\nENV X=1\nFROM one\nFROM b")
        assert [stage.name for stage in found.stages] == ["One", None, None]
        assert found.stages[1].parent is found.stages[0]
        assert found.stages[1].env["X"] == "1"
        assert found.final.parent is None
        assert found.final.env == dict(BASE_ENV)
        assert found.stage("0") is found.stage("one") is found.stages[0]
        assert found.stage("nginx") is None


class TestVariables:
    def test_put_in(self) -> None:
        values = {"A": "1", "E": ""}
        assert put_in("$A-${A}-${B:-x}-${A:+y}-${B:+y}-${E:-z}$B", values) == "1-1-x-y--z"

    def test_words_keep_quotes_together(self) -> None:
        assert words("""a "b $A" '$A' c\\ d \\$A""", {"A": "1"}) == ["a", "b 1", "$A", "c d", "$A"]

    def test_arg_before_from_is_for_from_only(self) -> None:
        text = "ARG V=3.11\nFROM python:${V}-slim\nCOPY a /$V"
        assert parse(text).final.base == "python:3.11-slim"
        assert only(text, "COPY") == ("a", "/")
        assert only(text.replace("COPY", "ARG V\nCOPY"), "COPY") == ("a", "/3.11")

    def test_env_wins_over_arg_and_a_line_does_not_see_itself(self) -> None:
        text = "FROM a\nARG X=arg\nENV X=env Y=$X\nENV OLD form here\nCOPY $X$Y /"
        assert only(text, "COPY")[0] == "envarg"
        assert parse(text).final.env["OLD"] == "form here"

    def test_a_shells_variables_are_left_to_it(self) -> None:
        assert only("FROM a\nENV A=1\nRUN echo $A", "RUN") == ("echo $A",)


PATHS = [
    "a.py", "b.txt", ".env", "x/.env", "x/y/.env", "x/a.py", "x/y/b.py", "x/y/z/c.py", "data/1/d.csv", "data/d.csv",
    "build/keep/k.txt", "build/drop.txt", "tempa", "x/tempb", "[odd].txt",
]  # fmt: skip
SENT = {
    "": PATHS,
    "# .env\n \n.": PATHS,
    ".env": [path for path in PATHS if path != ".env"],
    "/.env": [path for path in PATHS if path != ".env"],
    "./x/../.env": [path for path in PATHS if path != ".env"],
    "**/.env": [path for path in PATHS if ".env" not in path],
    "*/.env": [path for path in PATHS if path != "x/.env"],
    "x": [path for path in PATHS if not path.startswith("x/")],
    "x/": [path for path in PATHS if not path.startswith("x/")],
    "x/*": [path for path in PATHS if not path.startswith("x/")],
    "x/**": [path for path in PATHS if not path.startswith("x/")],
    "x/**/*.py": [path for path in PATHS if not (path.startswith("x/") and path.endswith(".py"))],
    "**/y": [path for path in PATHS if "/y/" not in path],
    "temp?": [path for path in PATHS if path != "tempa"],
    "*/temp*": [path for path in PATHS if path != "x/tempb"],
    "[ab].*": [path for path in PATHS if path not in ("a.py", "b.txt")],
    "\\[odd].txt": [path for path in PATHS if path != "[odd].txt"],
    "*": [],
    "**": [],
    "*\n!a.py": ["a.py"],
    "!a.py\n*": [],
    "*\n!x\nx/y": ["x/.env", "x/a.py", "x/tempb"],
    "build\n!build/keep": [path for path in PATHS if path != "build/drop.txt"],
    "*\n!x/y/z": ["x/y/z/c.py"],
}


class TestIgnore:
    @pytest.mark.parametrize("ignore", SENT)
    def test_as_the_manual_says(self, ignore: str) -> None:
        assert in_context(PATHS, ignore) == sorted(SENT[ignore])

    def test_what_cannot_be_read(self) -> None:
        for ignore in ("!", "a[b"):
            with pytest.raises(DockerfileError):
                left_out("a", ignore)

    @pytest.mark.parametrize("ignore", [ignore for ignore in SENT if "\\" not in ignore])  # it knows no escape
    def test_the_python_sdk_sends_the_same(self, ignore: str, tmp_path: Path) -> None:
        lay_out(tmp_path)
        patterns = [line for line in ignore.splitlines() if line.strip() and not line.startswith("#")]
        sent = {path.replace("\\", "/") for path in exclude_paths(str(tmp_path), patterns)}
        assert sorted(sent & set(PATHS)) == sorted(SENT[ignore])

    def test_where_the_python_sdk_sends_less(self, tmp_path: Path) -> None:
        """The one difference that the module names; if it goes away, say so there."""
        lay_out(tmp_path)
        python = ["a.py", "x/a.py", "x/y/b.py", "x/y/z/c.py"]
        assert in_context(PATHS, "*\n!**/*.py") == python
        assert sorted(set(exclude_paths(str(tmp_path), ["*", "!**/*.py"])) & set(PATHS)) == ["a.py"]

    @pytest.mark.engine
    def test_the_command_sends_the_same(self, engine: docker.DockerClient, tmp_path: Path) -> None:
        if shutil.which("docker") is None:
            pytest.skip("the command docker is not here")
        for ignore in SENT:
            folder = tmp_path / str(abs(hash(ignore)))
            lay_out(folder)
            (folder / "Dockerfile").write_text(f"FROM python:3.11-slim\nCOPY . /context/\nRUN {LIST}\n")
            (folder / ".dockerignore").write_text(ignore + "\n")
            if not SENT[ignore]:
                continue  # nothing to copy is an error of its own
            command = ["docker", "build", "--no-cache", "--network", "none", "--force-rm", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
            assert done.returncode == 0, done.stdout + done.stderr
            sent = {line.removeprefix("FILE ") for line in done.stdout.splitlines() if line.startswith("FILE ")}
            assert sorted(sent & set(PATHS)) == sorted(SENT[ignore]), ignore


LIST = """python3 -c "import os; [print('FILE', os.path.relpath(d + '/' + f, '/context')) for d, _, fs in os.walk('/context') for f in fs]\""""  # noqa: E501


def lay_out(folder: Path) -> None:
    for name in PATHS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def pip(line: str) -> list[tuple[str, list[str], dict[str, list[str]]]]:
    stage = parse(f"FROM a\nENV HERE=/here\nRUN {line}").final
    every = [installs(one) for one in commands(stage.instructions[-1], stage.env, stage.args)]
    return [(one.program, one.packages, one.options) for one in every if one]


class TestPip:
    def test_options_and_packages(self) -> None:
        assert pip("pip install -r a.txt --no-index -fw 'b==1' --target=$HERE --find-links c") == [
            (
                "pip",
                ["b==1"],
                {"requirement": ["a.txt"], "no-index": ["true"], "find-links": ["w", "c"], "target": ["/here"]},
            )
        ]

    def test_other_commands_and_other_verbs(self) -> None:
        assert pip("apt-get update && echo pip install a; pip download b | cat") == []
        assert [one[0] for one in pip("true && /v/bin/python -m pip -q install a && pip3.11 install b")] == [
            "/v/bin/python",
            "pip3.11",
        ]

    def test_exec_form(self) -> None:
        assert pip('["python", "-m", "pip", "install", "a"]') == [("python", ["a"], {})]

    def test_variables_of_pip(self) -> None:
        stage = parse("FROM a\nENV PIP_NO_INDEX=1\nRUN PIP_FIND_LINKS='x y' pip install a").final
        (found,) = [installs(one) for one in commands(stage.instructions[-1], stage.env, stage.args)]
        assert found is not None
        assert found.has("no-index")
        assert found.values("find-links") == ["x", "y"]


FILES = {"a/b/c.py": "", "a/d.py": "", "m.json": "", "r.txt": "x==1 --hash=sha256:0\n", "w/x-1-py3-none-any.whl": ""}


def copied(lines: str) -> list[str]:
    return sorted(Plan(f"FROM python:3.11-slim\n{lines}", FILES).image.files)


class TestPlan:
    @pytest.mark.parametrize(
        ("line", "files"),
        [
            ("COPY m.json /x", ["/x"]),
            ("COPY m.json /x/", ["/x/m.json"]),
            ("WORKDIR /w\nWORKDIR v\nCOPY m.json ./", ["/w/v/m.json"]),
            ("COPY a /x", ["/x/b/c.py", "/x/d.py"]),
            ("COPY a/b /x/", ["/x/c.py"]),
            ("COPY a/*.py /x/", ["/x/d.py"]),
            ("COPY a/* /x/", ["/x/c.py", "/x/d.py"]),
            ("COPY m.json a /x/", ["/x/b/c.py", "/x/d.py", "/x/m.json"]),
            ("COPY m.json /x/\nRUN rm -rf /x", []),
        ],
    )
    def test_where_a_copy_lands(self, line: str, files: list[str]) -> None:
        assert copied(line) == files

    def test_a_layer_keeps_what_a_later_one_deletes(self) -> None:
        assert "/x/m.json" in Plan("FROM b\nCOPY m.json /x/\nRUN rm -rf /x", FILES).image.layers

    def test_what_cannot_be_built(self) -> None:
        for line in (
            "COPY nothing /x",
            "RUN --mount=type=cache,target=/c x",
            "RUN pip install x",
            "HEALTHCHECK --every=1s CMD x",
        ):
            with pytest.raises(DockerfileError):
                copied(line)

    def test_an_entry_point_forgets_the_bases_command(self) -> None:
        def config(text: str) -> tuple[object, object]:
            found = Plan(text, FILES).image.config
            return found["entrypoint"], found["cmd"]

        assert config('FROM b\nENTRYPOINT ["e"]') == (["e"], None)
        assert config('FROM b\nCMD ["c"]\nENTRYPOINT ["e"]') == (["e"], ["c"])
        assert config('FROM b AS x\nCMD ["c"]\nFROM x\nENTRYPOINT ["e"]') == (["e"], None)
        assert config("FROM b\nCMD c d") == (None, ["/bin/sh", "-c", "c d"])

    def test_a_change_breaks_what_stands_on_it(self) -> None:
        text = (
            "FROM b AS x\nCOPY m.json /\nFROM b AS y\nCOPY a /a\nFROM y\nCOPY r.txt /\nCOPY --from=x /m.json /\nRUN z"
        )
        plan = Plan(text, FILES)
        assert plan.again(["m.json"]) == ["COPY m.json /", "COPY --from=x /m.json /", "RUN z"]
        assert plan.again(["a/d.py"]) == ["COPY a /a", "COPY r.txt /", "COPY --from=x /m.json /", "RUN z"]
        assert plan.again(["other"]) == []

    @pytest.mark.parametrize(
        ("flags", "ok", "hashes"),
        [
            ("--find-links=w -r r.txt", True, True),
            ("--find-links=w x", True, False),
            ("--find-links=w --require-hashes x", False, True),
            ("--find-links=w -r r.txt x", False, True),
            ("--find-links=nowhere x", False, False),
            ("--find-links=w -r nowhere.txt", False, False),
            ("w/*.whl", True, False),
        ],
    )
    def test_installing_offline(self, flags: str, ok: bool, hashes: bool) -> None:
        text = f"FROM b\nCOPY . .\nRUN pip install --no-index {flags}"
        if not ok:
            with pytest.raises(DockerfileError):
                Plan(text, FILES)
        else:
            (done,) = Plan(text, FILES).installed
            assert done.checks_hashes == hashes

    def test_the_services_own_dockerfile_is_read(self) -> None:
        found = parse((CONTAINER / "Dockerfile").read_text(encoding="utf-8"))
        assert len(found.stages) == 2
        assert not found.needs_buildkit()

    def test_durations(self) -> None:
        assert [seconds(text) for text in ("5s", "1m30s", "500ms", "1.5h")] == [5, 90, 0.5, 5400]
        for text in ("5", "s", "5 s", "1m5"):
            with pytest.raises(DockerfileError):
                seconds(text)


class TestHealth:
    CODE = "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/{}')"

    def test_three_states(self) -> None:
        ready = {"ready": True, "no model": False, "gone": False}
        assert probe(["CMD", "python", "-c", self.CODE.format("readyz")], {}) == ready
        assert probe(["CMD", "/usr/local/bin/python3", "-c", self.CODE.format("readyz")], {}) == ready
        assert probe(["CMD-SHELL", f'python -c "{self.CODE.format("readyz")}" || exit 1'], {}) == ready
        assert probe(["CMD", "python", "-c", self.CODE.format("healthz")], {}) == ready | {"no model": True}
        assert probe(None, {}) is None

    def test_what_the_image_has_not(self) -> None:
        nothing = {"ready": False, "no model": False, "gone": False}
        assert probe(["CMD", "curl", "http://127.0.0.1:8000/readyz"], {}) == nothing
        assert probe(["CMD-SHELL", "wget -q http://127.0.0.1:8000/readyz"], {}) == nothing
        assert probe(["CMD", "python", "-c", "import numpy"], {}) == nothing

    def test_the_images_variables(self) -> None:
        code = "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz')"
        assert probe(["CMD", "python", "-c", code], {"PORT": "8000"}) == {
            "ready": True,
            "no model": False,
            "gone": False,
        }
