"""Finding submissions: every layout, and files that are meant to hurt."""

import io
import os
import pickle
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import nbgrader
import pytest

from autograder.submissions import collect as collecting
from autograder.submissions import names as naming
from autograder.submissions.collect import Source, collect
from autograder.submissions.names import WINDOWS, safe_names
from base.errors import UserError

LAB = "01-mini"
NB = b'{"cells": []}'
GUIDE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"


def plant(root, *names, content=None):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() if content is None else content)
    return root


def packed(*names, content=None):
    """Return a zip whose files hold their own names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, name if content is None else content)
    return stream.getvalue()


@pytest.fixture(params=["folder", "zip"])
def layout(request, tmp_path):
    """Make a layout as a folder and as a zip."""

    def make(*names, content=None):
        if request.param == "folder":
            return plant(tmp_path / "in", *names, content=content)
        (tmp_path / "in.zip").write_bytes(packed(*names, content=content))
        return tmp_path / "in.zip"

    return make


def contents(sources):
    """Return what is read for each student: the content (here the file's name) or the fault."""
    return {one.student: one.read().notebook.decode() or one.read().fault for one in sources}


def test_nbgraders_tree(layout):
    root = layout(
        f"bo/{LAB}/{LAB}.ipynb",
        f"ann/{LAB}/{LAB}.ipynb",
        f"ann/{LAB}/scratch.ipynb",
        f"ann/{LAB}/.ipynb_checkpoints/{LAB}-checkpoint.ipynb",
        "cy/02-other/02-other.ipynb",
        f"dee/{LAB}/my-lab.ipynb",
        f"eve/{LAB}/notes.txt",
    )
    got = contents(collect(root, LAB))
    assert list(got) == ["ann", "bo", "dee", "eve"]
    assert got["ann"] == f"ann/{LAB}/{LAB}.ipynb"
    assert got["dee"] == f"dee/{LAB}/my-lab.ipynb"
    assert got["eve"].startswith(f"No notebook was handed in, only this: eve/{LAB}")


def test_nbgraders_tree_under_its_own_name(layout):
    assert list(contents(collect(layout(f"submitted/ann/{LAB}/{LAB}.ipynb"), LAB))) == ["ann"]


def test_another_notebook_of_an_assignment(layout):
    root = layout("ann/ps1/problem1.ipynb", "ann/ps1/problem2.ipynb")
    assert contents(collect(root, "ps1", "problem2")) == {"ann": "ann/ps1/problem2.ipynb"}
    [source] = collect(root, "ps1")
    assert source.fault.startswith(
        "More than one notebook was handed in: ann/ps1/problem1.ipynb, ann/ps1/problem2.ipynb."
    )


def test_real_trees_of_nbgraders_guide():
    sources = collect(GUIDE / "submitted", "ps1", "problem1")
    assert [one.student for one in sources] == ["bitdiddle", "hacker"]
    assert [one.timestamp for one in sources] == [
        "2015-02-02T22:58:23.948203+00:00",  # 14:58 in Los Angeles
        "2015-02-01T17:28:58.749302+00:00",
    ]
    assert all(b'"nbformat"' in one.read().notebook for one in sources)
    [board] = collect(GUIDE / "downloaded" / "ps1" / "archive", "ps1", "problem1")[:1]
    assert board.student == "hacker"
    assert board.timestamp == "2016-01-30T20:30:10+00:00"


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        (b"2015-02-02 15:58:23.948203 America/Los_Angeles\n", "2015-02-02T23:58:23.948203+00:00"),
        (b"2015-02-02 15:58:23 UTC", "2015-02-02T15:58:23+00:00"),
        (b"10:30", ""),
        (b"2015-99-99 1:1:1", ""),
        (b"\xff\xfe", ""),
        (b"2015-02-02 " + b"9" * 10_000, ""),
        (b"", ""),
    ],
)
def test_timestamps(layout, tmp_path, text, stamp):
    root = layout(f"ann/{LAB}/timestamp.txt", f"ann/{LAB}/{LAB}.ipynb", content=text)
    [source] = collect(root, LAB)
    assert source.timestamp == stamp


def test_a_folder_of_notebooks(layout):
    root = layout("ann.ipynb", "bo-1.ipynb", "README.txt", "data/x.csv", "__MACOSX/._ann.ipynb")
    assert contents(collect(root, LAB)) == {"ann": "ann.ipynb", "bo-1": "bo-1.ipynb"}


def test_one_folder_around_all(layout):
    assert list(contents(collect(layout("cohort/ann.ipynb", "cohort/bo.ipynb"), LAB))) == ["ann", "bo"]


def test_a_folder_each(layout):
    root = layout(f"ann/{LAB}.ipynb", "bo/mine.ipynb", "bo/other.ipynb", f"cy/{LAB} (2).ipynb", f"cy/{LAB}.ipynb")
    got = contents(collect(root, LAB))
    assert got["ann"] == f"ann/{LAB}.ipynb"
    assert got["bo"].startswith("More than one notebook was handed in: bo/mine.ipynb, bo/other.ipynb.")
    assert got["cy"] == f"cy/{LAB} (2).ipynb"


def test_canvas(layout):
    root = layout(
        f"leeann_12_100_{LAB}.ipynb",
        f"leeann_12_250_{LAB}-1.ipynb",
        f"leeann_13_90_{LAB}.ipynb",
        f"o'neil-bo_LATE_14_300_{LAB}-2.ipynb",
        "wucy_15_1_draft.ipynb",
        "wucy_15_2_final.ipynb",
        "xidee_16_5_report.pdf",
        "anon_LATE_17_6_my_long_name.ipynb",
    )
    got = contents(collect(root, LAB))
    assert got == {
        "anon_17": "anon_LATE_17_6_my_long_name.ipynb",
        "leeann_12": f"leeann_12_250_{LAB}-1.ipynb",
        "leeann_13": f"leeann_13_90_{LAB}.ipynb",
        "o'neil-bo_14": f"o'neil-bo_LATE_14_300_{LAB}-2.ipynb",
        "wucy_15": "More than one notebook was handed in: wucy_15_1_draft.ipynb, wucy_15_2_final.ipynb. "
        "Hand in the one notebook of the lab.",
        "xidee_16": "No notebook was handed in, only this: xidee_16_5_report.pdf. Hand in the one notebook of the lab.",
    }
    [newest] = [one for one in collect(root, LAB) if one.student == "leeann_12"]
    assert newest.note == f"the newest of 2: leeann_12_100_{LAB}.ipynb, leeann_12_250_{LAB}-1.ipynb"


def test_moodle(layout):
    root = layout(
        "Ann Lee_101_assignsubmission_file_/work.ipynb",
        f"Bo Øst_102_assignsubmission_file_/{LAB}.ipynb",
        "Bo Øst_102_assignsubmission_file_/scratch.ipynb",
        "Cy Wu_103_assignsubmission_file_my lab.ipynb",
        "Dee Xi_104_assignsubmission_file_/report.pdf",
        "Dee Xi_104_assignsubmission_onlinetext_/onlinetext.html",
    )
    got = contents(collect(root, LAB))
    assert got["Ann Lee_101"] == "Ann Lee_101_assignsubmission_file_/work.ipynb"
    assert got["Bo Øst_102"] == f"Bo Øst_102_assignsubmission_file_/{LAB}.ipynb"
    assert got["Cy Wu_103"] == "Cy Wu_103_assignsubmission_file_my lab.ipynb"
    assert got["Dee Xi_104"].startswith("No notebook was handed in, only this: ")


def test_names_that_are_utf8_without_saying_so(tmp_path):
    content = packed("Ann Øst_1_assignsubmission_file_/x.ipynb")
    raw = bytearray(content)
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.index(sign) + offset
        flags = struct.unpack_from("<H", raw, place)[0]
        struct.pack_into("<H", raw, place, flags & ~0x800)
    (tmp_path / "in.zip").write_bytes(raw)
    assert [one.student for one in collect(tmp_path / "in.zip", LAB)] == ["Ann Øst_1"]


def test_one_notebook(tmp_path):
    assert contents(collect(plant(tmp_path, "ann.ipynb") / "ann.ipynb", LAB)) == {"ann": "ann.ipynb"}


def test_nothing_to_collect(tmp_path):
    for path, says in ((tmp_path, "holds no submission"), (tmp_path / "none", "is no folder, zip or notebook")):
        with pytest.raises(UserError, match=says):
            collect(path, LAB)
    (tmp_path / "broken.zip").write_bytes(packed("ann.ipynb")[:-40] + b"\0" * 40)
    with pytest.raises(UserError):
        collect(tmp_path / "broken.zip", LAB)


# --- names ---

NAMES = [
    "..",
    "a..",
    ".eve",
    "a+b",
    "a,b",
    "a*[b]",
    "CON",
    "nul.x",
    "a\nb",
    "a\x1b[31mb",
    " a ",
    "-rf",
    "a{b}",
    "x" * 200,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_safe_as_folders(name):
    [safe] = safe_names([name]).values()
    assert safe == safe_names([name, "zoe"])[name], "it does not depend on the others"
    assert not set(safe) & set('/\\:*?"<>|[]{}+,\0\n\x1b')
    assert safe.strip(" .") == safe
    assert not safe.startswith((".", "student--"))
    assert len(safe) < 120
    assert not WINDOWS.fullmatch(safe)


def test_names_stay_apart():
    names = ["ann", "Ann", "ANN", "a+b", "a*b", "a-b", "..", "...", "", "e\u0301", "\u00e9"]
    safe = safe_names(names)
    assert len({one.casefold() for one in safe.values()}) == len(names)
    assert safe["a-b"] == "a-b"
    assert safe["\u00e9"] == "\u00e9"


def test_a_name_that_is_chosen_to_be_anothers_is_nobody_elses(layout):
    """denial-names-that-collide: the name that `a?b` gets, handed in too, neither stops anything nor takes it."""
    alone = safe_names(["a?b"])["a?b"]
    assert alone == "a-b-c2a7b64a"
    names = safe_names(["a?b", alone, "innocent"])
    assert names["a?b"] == alone
    assert names["innocent"] == "innocent"
    assert len({name.casefold() for name in names.values()}) == 3
    assert names[alone] == safe_names([alone])[alone], "it does not depend on the others"
    assert len(collect(layout("a*b.ipynb", "a-b-7d08b7a7.ipynb", "innocent.ipynb"), LAB)) == 3


def test_two_whose_hashes_begin_alike_stay_two(monkeypatch):
    """Thirty-two bits can be searched through: then more of the hash is taken."""

    class Hash:
        def __init__(self, content):
            self.content = content

        def hexdigest(self):
            return "deadbeef" * 7 + ("00000000" if self.content == b"a*b" else "11111111")

    monkeypatch.setattr(naming.hashlib, "sha256", Hash)
    assert len(set(safe_names(["a*b", "a?b"]).values())) == 2


def test_a_hash_of_digits_alone_is_made_longer():
    """A number of eight digits behind a name is a student's own, and no hash."""
    name = safe_names([".hidden"])[".hidden"]
    assert name == "hidden-1692419006a"
    assert safe_names(["lovelace-12345678"]) == {"lovelace-12345678": "lovelace-12345678"}


@pytest.mark.parametrize("first", ["ada", "Ada", "ADA"])
def test_who_handed_in_first_keeps_the_name(first):
    """denial-names-that-collide: `ada` does not become another because `Ada` came, nor the other way round."""
    others = {"ada", "Ada", "ADA"} - {first}
    names = safe_names([*others, first], known={first})
    assert names[first] == first
    assert all(names[other].startswith(f"{other}-") for other in others)
    assert safe_names(["Ada", "ADA", "ada"])["ada"] == "ada"


def test_a_platforms_number_is_never_cut():
    """marks-number-in-a-display-name: with a long name in front, `_77123` would become somebody's `_77`."""
    long = "Vera Victim" + " " * 85 + "_77123"
    name = safe_names([long])[long]
    assert re.search(r"_77123-[0-9a-f]{8}$", name)
    assert len(name.encode()) < 120


def test_a_changed_name_is_noted(layout):
    [source] = collect(layout(f"a+b/{LAB}/{LAB}.ipynb"), LAB)
    assert source.student.startswith("a-b-")
    assert source.origin == "a+b"
    assert source.note == "named 'a+b' where it came from"


# --- what is not a file ---


@pytest.mark.skipif(os.name != "posix", reason="names of files as Linux has them")
def test_names_do_not_depend_on_the_locale(tmp_path):
    """public/, names under the C locale: listed and read in a process that takes file names for ASCII."""
    plant(tmp_path, "Bo Müller.ipynb", f"Chi Nguyễn/{LAB}.ipynb")
    code = (
        "import pathlib, sys; from autograder.submissions.collect import collect\n"
        f"found = collect(pathlib.Path({str(tmp_path)!r}), {LAB!r})\n"
        "print(sys.getfilesystemencoding(), ascii([(one.student, one.read().notebook.decode()) for one in found]))"
    )
    locale = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **locale}, capture_output=True, text=True, check=True
    )
    wanted = [("Bo Müller", "Bo Müller.ipynb"), ("Chi Nguyễn", f"Chi Nguyễn/{LAB}.ipynb")]
    assert done.stdout == f"ascii {wanted!a}\n"


def test_links_pipes_sockets_and_folders(tmp_path):
    secret = plant(tmp_path / "secret", f"{LAB}.ipynb", content=b"hidden tests")
    root = plant(tmp_path / "in", f"ann/{LAB}/{LAB}.ipynb")
    for name in ("bo", "cy", "fay"):
        (root / name).mkdir()
    (root / "bo" / LAB).symlink_to(secret)
    (root / "cy" / LAB).mkdir()
    (root / "cy" / LAB / f"{LAB}.ipynb").symlink_to(secret / f"{LAB}.ipynb")
    (root / "dee").symlink_to(tmp_path / "secret")
    (root / "fay" / LAB).mkdir()
    os.mkfifo(root / "fay" / LAB / f"{LAB}.ipynb")
    (root / "gus" / LAB / f"{LAB}.ipynb").mkdir(parents=True)
    plant(root, f"hal/{LAB}/{LAB}.ipynb")
    (root / "hal" / LAB / "data").symlink_to("/")
    short = Path(f"/tmp/intake-{os.getpid()}.sock")  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short))
        (root / "ivy" / LAB).mkdir(parents=True)
        shutil.move(short, root / "ivy" / LAB / f"{LAB}.ipynb")
        got = contents(collect(root, LAB))
    assert "hidden" not in str(got)
    assert got["ann"] == f"ann/{LAB}/{LAB}.ipynb"
    assert got["hal"] == f"hal/{LAB}/{LAB}.ipynb", "a link beside the notebook is no fault"
    assert {name for name, text in got.items() if "a link, not a file" in text} == {"bo", "cy", "dee"}
    assert {name for name, text in got.items() if "is not a file" in text} == {"fay", "ivy"}
    assert got["gus"].startswith("No notebook was handed in")


def test_a_file_that_becomes_a_link_or_a_pipe_before_it_is_read(tmp_path):
    secret = plant(tmp_path / "secret", f"{LAB}.ipynb", content=b"hidden tests")
    root = plant(tmp_path / "in", *(f"{name}/{LAB}/{LAB}.ipynb" for name in ("ann", "bo", "cy")))
    ann, bo, cy = collect(root, LAB)
    (root / "ann" / LAB / f"{LAB}.ipynb").unlink()
    (root / "ann" / LAB / f"{LAB}.ipynb").symlink_to(secret / f"{LAB}.ipynb")
    shutil.rmtree(root / "bo" / LAB)
    (root / "bo" / LAB).symlink_to(secret)
    (root / "cy" / LAB / f"{LAB}.ipynb").unlink()
    os.mkfifo(root / "cy" / LAB / f"{LAB}.ipynb")
    for source in (ann, bo, cy):
        submission = source.read()
        assert submission.notebook == b""
        assert submission.fault


def test_files_that_are_too_large_or_not_readable(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_BYTES", 3_000_000)
    root = plant(tmp_path, "ann.ipynb", content=b"x" * 3_000_001)
    plant(tmp_path, "bo.ipynb")
    plant(tmp_path, "cy.ipynb", content=b"x" * 3_000_000)
    ann, bo, cy = (one.read() for one in collect(root, LAB))
    assert ann.fault.startswith("The file is too large (3 MB, 3 MB are read)")
    assert bo.notebook == b"bo.ipynb"
    assert len(cy.notebook) == 3_000_000
    (tmp_path / "bo.ipynb").unlink()
    assert "could not be opened" in Source("bo", "bo", tmp_path, "bo.ipynb").read().fault


# --- zips that are meant to hurt ---


def in_zip(tmp_path, build):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("ann.ipynb", NB)
        build(archive)
    return {one.student: one.read() for one in collect(tmp_path / "in.zip", LAB)}


def test_paths_that_lead_out_of_a_zip(tmp_path):
    def build(archive):
        archive.writestr("../../bo.ipynb", NB)
        archive.writestr("/etc/cy.ipynb", NB)
        archive.writestr("C:\\dee.ipynb", NB)
        archive.writestr("a\\..\\..\\eve.ipynb", NB)

    got = in_zip(tmp_path, build)
    assert got.pop("ann").notebook == NB
    assert len(got) == 4
    assert all("leads out of it" in one.fault for one in got.values())


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip(tmp_path, kind):
    def build(archive):
        info = zipfile.ZipInfo("bo.ipynb")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    got = in_zip(tmp_path, build)
    assert got["ann"].notebook == NB
    assert "not a file" in got["bo"].fault


def test_a_bomb_that_says_so_and_one_that_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_BYTES", 3_000_000)
    content = bytearray(packed("bo.ipynb", content=b"0" * 50_000_000))
    assert len(content) < 100_000
    (tmp_path / "in.zip").write_bytes(content)
    [source] = collect(tmp_path / "in.zip", LAB)
    assert "too large (50 MB" in source.read().fault
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 1000)
    (tmp_path / "in.zip").write_bytes(content)
    [source] = collect(tmp_path / "in.zip", LAB)
    submission = source.read()
    assert submission.fault
    assert submission.notebook == b""


def test_encrypted_damaged_and_oddly_packed_members(tmp_path):
    names = ["ann.ipynb", "bo.ipynb", "cy.ipynb", "dee.ipynb"]
    content = bytearray(packed(*names, content=b"abc" * 100))
    directory = [place for place in range(len(content)) if content[place : place + 4] == b"PK\x01\x02"]
    content[directory[1] + 8] |= 1  # encrypted
    content[directory[2] + 10] = 14  # LZMA
    content[directory[3] + 16] ^= 0xFF  # check sum
    (tmp_path / "in.zip").write_bytes(content)
    ann, bo, cy, dee = (one.read() for one in collect(tmp_path / "in.zip", LAB))
    assert ann.notebook == b"abc" * 100
    assert "locked with a password" in bo.fault
    assert "packed in a way" in cy.fault
    assert "could not be read from the zip" in dee.fault


def test_a_students_own_zip(layout, tmp_path):
    inner = {
        "ann": packed(f"work/{LAB}.ipynb", "work/data.csv", "__MACOSX/work/._x.ipynb"),
        "bo": packed("a.ipynb", "b.ipynb"),
        "cy": packed("a.pdf"),
        "dee": b"no zip at all",
        "eve": packed("again.zip"),
        "fay": packed("../out.ipynb"),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in inner.items():
            archive.writestr(f"{name}_1_2_mine.zip", content)
        archive.writestr("gus_1_2_mine.zip", packed("gus.ipynb"))
        archive.writestr(f"gus_1_3_{LAB}.ipynb", NB)
    (tmp_path / "all.zip").write_bytes(stream.getvalue())
    got = contents(collect(tmp_path / "all.zip", LAB))
    assert got["ann_1"] == f"work/{LAB}.ipynb"
    assert got["bo_1"] == "The zip holds 2 notebooks: a.ipynb, b.ipynb. Hand in the one notebook itself."
    assert got["cy_1"] == "The zip holds 0 notebooks. Hand in the one notebook itself."
    assert got["dee_1"].startswith("The zip could not be read")
    assert got["eve_1"] == "The zip holds 0 notebooks. Hand in the one notebook itself."
    assert "leads out" in got["fay_1"]
    assert got["gus_1"] == NB.decode(), "the notebook before the zip"


def test_a_zip_of_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_MEMBERS", 5)
    plant(tmp_path, "ann.zip", content=packed(*(f"{n}.txt" for n in range(5)), "x.ipynb"))
    [source] = collect(tmp_path, LAB)
    assert "more than 5 files" in source.read().fault


def test_sources_are_small_and_travel(layout):
    root = layout(*(f"s{number}/{LAB}/{LAB}.ipynb" for number in range(50)))
    sources = collect(root, LAB)
    assert pickle.loads(pickle.dumps(sources)) == sources
    assert len(pickle.dumps(sources)) < 20_000
    assert [one.student for one in sources] == sorted(f"s{number}" for number in range(50))


def test_a_long_name_in_any_script_leaves_room_for_what_is_added() -> None:
    long = "学" * 200
    name = safe_names([long, long + "生"])
    assert len(set(name.values())) == 2
    assert all(len(one.encode()) < 140 for one in name.values())
