"""What a confined kernel can and cannot do, as root and as an ordinary user. Each case runs in forks of its own."""

import ctypes
import errno
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from authoring.repository import ROOT
from autograder.sandbox import confine as steps
from autograder.sandbox import filter as calls
from autograder.sandbox import linux
from autograder.sandbox import view as views
from autograder.sandbox.confine import confine, new_pid_namespace
from autograder.sandbox.enter import enter, fresh_scratch
from autograder.sandbox.limits import Confine
from autograder.sandbox.linux import NOBODY, Unavailable
from autograder.sandbox.view import View
from base.errors import UserError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

BARE = (Path("/usr"), Path("/bin"), Path("/lib"), Path("/lib64"))
SECONDS = 60
MUST_BE_REFUSED = {
    *("mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "move_mount", "open_tree", "mount_setattr"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "bpf", "perf_event_open", "userfaultfd"),
    *("keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module", "finit_module", "reboot"),
    *("open_by_handle_at", "quotactl", "swapon", "settimeofday", "clock_settime", "personality", "acct", "syslog"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3"),
}


class Running:
    """A forked child and what it will say."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid, self.pipe = pid, pipe

    def said(self) -> str:
        """Wait for the end of it and of all that hold its pipe."""
        text, end = b"", time.monotonic() + SECONDS
        while True:
            if not select.select([self.pipe], [], [], max(0, end - time.monotonic()))[0]:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError("a process lives on")
            if not (piece := os.read(self.pipe, 1 << 16)):
                break
            text += piece
        os.close(self.pipe)
        os.waitpid(self.pid, 0)
        return text.decode()

    def answer(self) -> Any:
        """Wait for what it returns."""
        found = json.loads(self.said() or '{"error": "ended without an answer"}')
        assert "error" not in found, found["error"]
        return found["answer"]


def spawn(body: Callable[[int], Any], armed: bool = True) -> Running:
    """Fork a child that returns `body(pipe)`; armed, it ends with its parent, so that a failing test leaves nothing."""
    read, write = os.pipe()
    if pid := os.fork():
        os.close(write)
        return Running(pid, read)
    try:
        if armed:
            linux.prctl(linux.PDEATHSIG, signal.SIGKILL)
        said = {"answer": body(write)}
    except BaseException:
        said = {"error": traceback.format_exc()}
    os.write(write, json.dumps(said).encode())
    os._exit(0)


def become(mode: str) -> None:
    """Be an ordinary user, if that is the mode."""
    if mode == "user" and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def lab(body: Callable[[], Any], mode: str, view: View | None = None) -> Any:
    """Run `body` in a process that entered, itself the first of a pid namespace."""

    def template(_pipe: int) -> Any:
        if os.geteuid() == 0:
            os.setgroups([4])
        become(mode)
        enter(view or View(BARE))
        new_pid_namespace()
        return spawn(lambda _: body()).answer()

    return spawn(template).answer()


def box(body: Callable[[], Any], scratch_mb: int = 16, uid: int = 20001) -> Running:
    """Start `body` in a box."""

    def boxed(_pipe: int) -> Any:
        fresh_scratch(scratch_mb, uid)
        return body()

    return spawn(boxed)


def kernel(body: Callable[[], Any], keep: tuple[int, ...] = (), **limits: int) -> Running:
    """Start `body` in a kernel."""
    new_pid_namespace()

    def confined(pipe: int) -> Any:
        confine(Confine(**{"uid": 20001, **limits}), (0, 1, 2, pipe, *keep))
        return body()

    return spawn(confined, armed=False)  # `confine` has to see to that


def inside(body: Callable[[], Any], mode: str, view: View | None = None, **limits: int) -> Any:
    """Return what `body` returns in the one kernel of the one box of a lab."""
    return lab(lambda: box(lambda: kernel(body, (), **limits).answer()).answer(), mode, view)


def refusal(action: Callable[[], object]) -> str:
    """Return the name of the error that an action ends with."""
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "allowed"


def listed(folder: Path | str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def pids() -> list[str]:
    return [name for name in listed("/proc") if name.isdecimal()]


def capable(mode: str) -> bool:
    """Return whether the machine lets another program do the like: else a broken sandbox would only skip its tests."""
    user = () if mode == "root" else ("--user", "--map-root-user")
    command = ["unshare", *user, "--mount", "--net", "--pid", "--fork", "--mount-proc", "/bin/true"]
    return subprocess.run(command, preexec_fn=lambda: become(mode), capture_output=True, cwd="/").returncode == 0


@pytest.fixture(scope="module", params=["root", "user"])
def mode(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name == "root" and os.geteuid() != 0:
        pytest.skip("not root")
    if shutil.which("unshare") is None or not capable(name):
        pytest.skip("this machine does not allow namespaces")
    return name


@pytest.fixture
def project() -> Iterator[Path]:
    """A project that is not below /tmp, with secrets in it and a folder to show."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "env").mkdir()
        (folder / "env" / "module.py").write_text("x = 1\n")
        (folder / "env" / "module.py").chmod(0o666)
        (folder / "env").chmod(0o777)
        (folder / "hidden.txt").write_text("the answer\n")
        (folder / "link").symlink_to("env/../env")
        yield folder


def test_outside_the_view_nothing_is_there(mode: str, project: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    (tmp_path / "secret.txt").write_text("the answer\n")
    secrets = [tmp_path / "secret.txt", project / "hidden.txt", Path("/etc/shadow"), Path("/root"), Path("/home"), ROOT]
    assert all(path.exists() for path in secrets[:2])

    def body() -> Any:
        there = [str(path) for path in secrets if path.exists()]
        return there, listed("/var/tmp"), listed(project), (project / "env/module.py").read_text(), str(Path.cwd())

    found = inside(body, mode, View((*BARE, project / "env")))
    assert found == [[], [project.name], ["env"], "x = 1\n", "/tmp/lab"]


def test_a_hidden_folder_shows_only_what_is_named_below_it(mode: str, project: Path) -> None:
    def body() -> Any:
        return listed(project) if project.exists() else "nothing"

    around = project.parent
    assert inside(body, mode, View((*BARE, project))) == ["env", "hidden.txt", "link"]
    assert inside(body, mode, View((*BARE, project), hidden=(project,))) == "nothing"
    assert inside(body, mode, View((*BARE, around), hidden=(project,))) == []
    assert inside(body, mode, View((*BARE, around, project / "env"), hidden=(project,))) == ["env"]


def test_links_lead_where_they_lead_outside(mode: str, project: Path) -> None:
    (project / "python").symlink_to(project / "link/module.py")  # a link through a link, as an environment's Python

    def body() -> Any:
        return (project / "python").read_text(), listed(project), str((project / "python").resolve())

    text, names, real = inside(body, mode, View((*BARE, project / "python")))
    assert (text, names, real) == ("x = 1\n", ["env", "link", "python"], str(project / "env/module.py"))


def test_the_view_cannot_be_written(mode: str, project: Path) -> None:
    module = project / "env/module.py"
    new = [project / "env/new", project / "new", Path("/usr/new"), Path("/new"), Path("/dev/new"), Path("/etc/new")]

    def body() -> Any:
        tries: list[Callable[[], object]] = [lambda: module.write_text("x"), module.unlink]
        tries += [path.touch for path in new]
        return [refusal(action) for action in tries]

    refusals = inside(body, mode, View((*BARE, project / "env")))
    assert refusals[:3] == ["EROFS"] * 3  # anyone may write these
    assert set(refusals) <= {"EROFS", "EACCES"}


@pytest.mark.parametrize("hide", [False, True])
def test_what_lies_below_tmp_is_shown_and_stays_put(mode: str, tmp_path: Path, hide: bool) -> None:
    top = Path("/tmp", tmp_path.parts[2])
    for folder in (tmp_path, *tmp_path.parents):  # pytest makes them for their owner alone
        if top in (folder, *folder.parents):
            folder.chmod(0o755)
    (tmp_path / "env").mkdir()
    (tmp_path / "env/module.py").write_text("x = 1\n")
    (tmp_path / "secret.txt").write_text("the answer\n")

    def body() -> Any:
        tries = [
            lambda: top.rename("/tmp/away"),
            lambda: (tmp_path / "env").rename("/tmp/away"),
            lambda: (top / "new").touch(),
        ]
        return listed(tmp_path), (tmp_path / "env/module.py").read_text(), [refusal(action) for action in tries]

    shown = (*BARE, top, tmp_path / "env") if hide else (*BARE, tmp_path / "env")
    names, text, refusals = inside(body, mode, View(shown, hidden=(top,) if hide else ()))
    assert (names, text) == (["env"], "x = 1\n")
    assert set(refusals) <= {"EBUSY", "EROFS", "EXDEV", "EACCES", "EPERM"}, refusals


def test_tmp_can_be_written_until_it_is_full(mode: str) -> None:
    def body() -> Any:
        with Path("big").open("wb", buffering=0) as file:
            reason = refusal(lambda: [file.write(b"x" * (1 << 20)) for _ in range(64)])
            wrote = file.tell()
        Path("big").unlink()
        many = refusal(lambda: [Path(f"file{number}").write_bytes(b"") for number in range(10_000)])
        return wrote, reason, many

    wrote, reason, many = inside(body, mode)
    assert (reason, many) == ("ENOSPC", "ENOSPC")
    assert 14 << 20 <= wrote <= 16 << 20


def test_there_is_no_network(mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0sandbox-test-" + str(os.getpid()))
        abstract.listen()
        port, name = server.getsockname()[1], abstract.getsockname()

        def connect(family: int, address: Any) -> str:
            with socket.socket(family) as one:
                one.settimeout(5)
                return refusal(lambda: one.connect(address))

        def body() -> Any:
            with socket.create_server(("127.0.0.1", 0)) as own:
                itself = connect(socket.AF_INET, own.getsockname())
            found = [connect(socket.AF_INET, ("192.0.2.1", 80)), connect(socket.AF_INET, ("127.0.0.1", port))]
            return [itself, *found, connect(socket.AF_UNIX, name)]

        assert connect(socket.AF_INET, ("127.0.0.1", port)) == connect(socket.AF_UNIX, name) == "allowed"
        assert inside(body, mode) == ["allowed", "ENETUNREACH", "ECONNREFUSED", "ECONNREFUSED"]


def test_there_are_no_other_processes(mode: str) -> None:
    grader = os.getpid()

    def body() -> Any:
        return (
            os.getpid(),
            pids(),
            refusal(lambda: os.kill(grader, 0)),
        )

    assert inside(body, mode) == [1, ["1"], "ESRCH"]


def test_kernels_of_a_box_share_files_and_nothing_else(mode: str) -> None:
    def first(ready: int, go: int) -> Any:
        Path("note").write_text("hello")
        Path("/dev/shm/note").write_text("hello")
        with socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind("\0between")
            abstract.listen()
            os.write(ready, b"x")
            os.read(go, 1)
        return len(pids())

    def second() -> Any:
        with socket.socket(socket.AF_UNIX) as one:
            reach = refusal(lambda: one.connect("\0between"))
        return Path("note").read_text(), listed("/dev/shm"), reach, pids(), refusal(lambda: os.kill(2, 0))

    def both() -> Any:
        (seen, ready), (wait, go) = os.pipe(), os.pipe()
        one = kernel(lambda: first(ready, wait), (ready, wait))
        os.read(seen, 1)
        answer = kernel(second).answer()
        os.write(go, b"x")
        return one.answer(), answer

    assert lab(lambda: box(both).answer(), mode) == [1, ["hello", [], "ECONNREFUSED", ["1"], "ESRCH"]]


def bomb(children: int) -> int:
    """Fork until it is refused; return how many there were."""
    number = 0
    for number in range(children):
        try:
            if os.fork() == 0:
                time.sleep(SECONDS)
                os._exit(0)
        except BlockingIOError:
            return number
    return number + 1


def test_a_fork_bomb_is_bounded_and_is_nobody_elses(mode: str) -> None:
    def bombed(ready: int, go: int) -> Any:
        forked = bomb(40)
        os.write(ready, b"x")
        os.read(go, 1)
        return forked

    def both() -> Any:
        (seen, ready), (wait, go) = os.pipe(), os.pipe()

        def attacker() -> Any:
            return kernel(lambda: bombed(ready, wait), (ready, wait), processes=20, uid=20002).answer()

        one = box(attacker, uid=20002)
        os.read(seen, 1)
        other = box(lambda: kernel(lambda: bomb(10), processes=20).answer()).answer()
        os.write(go, b"x")
        return one.answer(), other

    assert lab(both, mode) == [19, 10]


def test_memory_is_limited(mode: str) -> None:
    def body() -> Any:
        few = len(bytes(50 << 20))
        try:
            return len(bytes(300 << 20))
        except MemoryError:
            return few

    assert inside(body, mode, memory_mb=200) == 50 << 20
    assert inside(body, mode, memory_mb=400) == 300 << 20


def test_cpu_time_is_limited_also_for_who_ignores_it(mode: str) -> None:
    def body() -> Any:
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    started = time.monotonic()
    with pytest.raises(AssertionError, match="ended without an answer"):
        inside(body, mode, cpu_seconds=1)
    assert time.monotonic() - started < 30


def call(name: str, *arguments: int) -> int:
    """Make a system call by its number; return the error."""
    tables = calls._FORBIDDEN + "," + calls._ABSENT + "," + ",".join(row[0] for row in calls._PARTLY)
    row = next(row.split() for row in tables.split(",") if row.split()[0] == name)
    column = calls.MACHINES[os.uname().machine][0]
    wide = [ctypes.c_long(one) for one in (int(row[1 + column]), *arguments)]
    return 0 if linux._libc().syscall(*wide) >= 0 else ctypes.get_errno()


def names(table: str) -> list[str]:
    """Return the calls of a table that this machine has."""
    column = calls.MACHINES[os.uname().machine][0]
    return [row.split()[0] for row in table.split(",") if row.split()[1 + column] != "-"]


def test_system_calls_are_refused(mode: str) -> None:
    def body() -> Any:
        zeros = (0, 0, 0, 0, 0, 0)
        partly = {
            "clone": call("clone", linux.NEWUSER | signal.SIGCHLD, 0, 0, 0, 0),
            "prctl": call("prctl", 1, 0),
            "ioctl": call("ioctl", 0, 0x5412, 0),
            **{
                str(family): call("socket", family, socket.SOCK_STREAM, 0) for family in (17, 38, 40)
            },  # packet, alg, vsock
            "socketpair": call("socketpair", 40, 1, 0, 0),
        }
        whole = {name: call(name, *zeros) for name in names(calls._FORBIDDEN + "," + calls._ABSENT)}
        return whole, partly, refusal(lambda: os.chroot("/tmp")), refusal(lambda: os.setuid(0))

    whole, partly, chroot, setuid = inside(body, mode)
    assert whole.keys() >= MUST_BE_REFUSED
    forbidden = dict.fromkeys(names(calls._FORBIDDEN), errno.EPERM)
    assert whole == forbidden | dict.fromkeys(names(calls._ABSENT), errno.ENOSYS)
    assert partly == {
        **dict.fromkeys(("clone", "prctl", "ioctl"), errno.EPERM),
        **dict.fromkeys(("17", "38", "40", "socketpair"), errno.EAFNOSUPPORT),
    }
    assert (chroot, setuid) == ("EPERM", "EINVAL")


def test_without_the_filter_they_would_not_be(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "filter_program", lambda: struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000))
    chosen = ("unshare", "setns", "ptrace", "personality", "kcmp", "memfd_create")
    found = inside(lambda: [call(name, 0, 0, 0, 0, 0) for name in chosen], mode)
    assert not {errno.EPERM, errno.ENOSYS} & set(found)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="a second ABI is a matter of x86-64")
def test_another_abi_kills(mode: str) -> None:
    def body() -> Any:
        if (pid := os.fork()) == 0:
            linux._libc().syscall(calls._X32 | 39)
            os._exit(0)
        return os.WTERMSIG(os.waitpid(pid, 0)[1])

    assert inside(body, mode) == signal.SIGSYS


@pytest.mark.parametrize(
    ("column", "header", "prefix"),
    [
        (1, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "__NR_"),
        (2, "/usr/include/asm-generic/unistd.h", "__NR(3264)?_"),
    ],
)
def test_numbers_of_system_calls_are_those_of_the_kernel(column: int, header: str, prefix: str) -> None:
    if not Path(header).is_file():
        pytest.skip("no kernel headers here")
    text = Path(header).read_text()
    for row in ",".join([calls._FORBIDDEN, calls._ABSENT, *(one[0] for one in calls._PARTLY)]).split(","):
        name, number = row.split()[0], row.split()[column]
        found = re.search(rf"#define {prefix}{name}\s+(\d+)", text)
        assert found is None or found[found.lastindex or 1] == number, name
        assert found is not None or number == "-" or name == "open_tree_attr", f"{name}: newer than these headers?"


def test_no_rights_are_left(mode: str) -> None:
    def body() -> Any:
        lines = Path("/proc/self/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line), os.getresuid(), os.getresgid()

    status, users, groups = inside(body, mode)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert users == groups == [NOBODY] * 3
    if mode == "root":
        assert status["Groups"].strip() == ""


def test_a_kernel_is_never_root() -> None:
    with pytest.raises(ValueError, match="root"):
        confine(Confine(uid=0))


def test_open_files_do_not_come_along(mode: str) -> None:
    way_out = os.open("/", os.O_RDONLY)
    try:
        assert inside(lambda: refusal(lambda: os.fstat(way_out)), mode) == "EBADF"
    finally:
        os.close(way_out)


def test_each_box_starts_from_the_same_files_and_sees_no_others(mode: str) -> None:
    def template() -> Any:
        Path("data").mkdir()
        Path("data/a.csv").write_text("1\n")
        Path("data/run").write_text("#!/bin/sh\n")
        Path("data/run").chmod(0o750)
        os.utime("data/run", (1e9, 1e9))
        Path("link").symlink_to("data/a.csv")

        def student(word: str) -> Any:
            def write() -> Any:
                found = sorted(str(path) for path in Path("/tmp").rglob("*")), Path("link").read_text()
                about = Path("data/run").stat()
                Path("data/a.csv").write_text(word)
                Path("data/mine").write_text(word)
                Path("/tmp/mine").write_text(word)
                return *found, stat.S_IMODE(about.st_mode), about.st_mtime

            return write

        answers = [
            box(lambda uid=uid: kernel(student(str(uid)), uid=uid).answer(), uid=uid).answer()  # type: ignore[misc]
            for uid in (20001, 20002, 20001)
        ]
        return answers, sorted(str(path) for path in Path("/tmp").rglob("*")), Path("data/a.csv").read_text()

    answers, after, text = lab(template, mode)
    handed_out = ["/tmp/lab", "/tmp/lab/data", "/tmp/lab/data/a.csv", "/tmp/lab/data/run", "/tmp/lab/link"]
    assert answers == [[handed_out, "1\n", 0o750, 1e9]] * 3
    assert (after, text) == (handed_out, "1\n")


def stay(ready: int) -> None:
    """Leave a daemon behind that ignores all it can, say so, and stay."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
    os.write(ready, b"x")
    while True:
        time.sleep(SECONDS)


def test_all_ends_with_the_box(mode: str) -> None:
    def template() -> Any:
        seen, ready = os.pipe()

        one = box(lambda: kernel(lambda: stay(ready), (ready,)).answer())
        os.close(ready)
        assert os.read(seen, 1) == os.read(seen, 1) == b"x"
        os.kill(one.pid, signal.SIGKILL)
        return select.select([seen], [], [], 10)[0] == [seen] and os.read(seen, 1) == b""  # nobody holds it

    assert lab(template, mode) is True


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_kernel_whose_box_ended_too_early_ends_too(mode: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def template() -> Any:
        (seen, ready), (wait, go) = os.pipe(), os.pipe()

        def boxed(_pipe: int) -> None:
            fresh_scratch(16)
            new_pid_namespace()
            if os.fork():
                os._exit(0)
            os.close(go)
            if when == "before":
                os.read(wait, 1)
            else:
                drop = steps._drop_rights
                monkeypatch.setattr(steps, "_drop_rights", lambda: drop() if os.read(wait, 1) == b"" else None)
            confine(Confine(uid=20001), (ready, wait))
            os.write(ready, b"alive")

        orphan = spawn(boxed)
        os.waitpid(orphan.pid, 0)
        os.close(ready)
        os.close(go)
        return os.read(seen, 5).decode()

    assert lab(template, mode) == ""


LIBRARIES = """
import json, subprocess, sys, tempfile, numpy, pandas, lightgbm
table = pandas.DataFrame({"x": numpy.arange(500.0)})
model = lightgbm.LGBMRegressor(n_estimators=5, n_jobs=2, verbose=-1).fit(table, table.x % 2)
table.to_parquet(tempfile.mkstemp(suffix=".parquet")[1])
command = [sys.executable, "-c", "import numpy; print(numpy.ones(3).sum())"]
child = subprocess.run(command, capture_output=True, text=True)
print(json.dumps([len(model.predict(table)), child.stdout, child.stderr]))
"""


def test_libraries_and_their_subprocesses_work(mode: str) -> None:
    paths = views.python_paths(skip=[ROOT])
    environment = {"PATH": "/usr/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "2"}

    def body() -> Any:
        command = [sys.executable, "-c", LIBRARIES]
        return subprocess.run(command, capture_output=True, text=True, env=environment).stdout

    def opened(_pipe: int) -> Any:
        if os.geteuid() == 0:  # an ordinary user may not be let into the folder of root's Python
            enter(View(paths))
        return inside(body, mode, View(paths, hidden=(ROOT,)))

    assert json.loads(spawn(opened).answer()) == [500, "3.0\n", ""]


def test_nothing_speaks_against_it_here(mode: str) -> None:
    def ask(_pipe: int) -> Any:
        become(mode)
        return steps.why_not.__wrapped__()

    assert spawn(ask).answer() is None


def test_why_not_says_what_a_confined_process_lacks(mode: str) -> None:
    assert "namespaces" in str(inside(steps.why_not.__wrapped__, mode))


def test_why_not_says_that_user_namespaces_are_switched_off(mode: str) -> None:
    def body(_pipe: int) -> Any:
        become("user")
        uid = os.getuid()
        linux.call("unshare", linux.NEWUSER)
        linux.map_user(1000, uid, uid)
        Path("/proc/sys/user/max_user_namespaces").write_text("0")  # of this user namespace
        steps._drop_rights()
        return steps.why_not.__wrapped__()

    said = spawn(body).answer()
    assert said.startswith("this machine does not allow namespaces to an ordinary user")
    assert "max_user_namespaces" in said
    assert said.endswith("(unshare: No space left on device)")


def test_why_not_says_that_root_lacks_a_right() -> None:
    if os.geteuid() != 0:
        pytest.skip("not root")

    def body(_pipe: int) -> Any:
        steps._drop_rights()
        return steps.why_not.__wrapped__()

    assert "CAP_SYS_ADMIN" in spawn(body).answer()


def test_a_view_must_hide_something() -> None:
    for view in (
        View((Path("/"),)),
        View((Path("/tmp"),)),
        View(BARE, cwd=Path("/srv/lab")),
        View(BARE, cwd=Path("/tmp")),
    ):
        with pytest.raises(UserError, match="some folders"):
            enter(view)


def test_another_system_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Unavailable, match="needs Linux"):
        enter(View(BARE))
    assert "needs Linux" in str(steps.why_not.__wrapped__())


def test_the_paths_of_python_leave_private_folders_out(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    entries = [
        "",
        "relative",
        str(project),
        str(project.parent),
        str(project / "env"),
        str(project / "missing"),
        "/",
        "/tmp",
    ]
    monkeypatch.setattr(sys, "path", entries)
    monkeypatch.chdir("/usr")
    paths = views.python_paths(skip=[project])
    assert project / "env" in paths
    assert Path(sys.prefix) in paths
    assert not {project, project.parent, project / "missing", Path("/"), Path("/tmp"), Path()} & set(paths)
    monkeypatch.chdir(project / "env")
    assert project / "env" not in views.python_paths()
