"""Kernels forked from a warm parent: like new processes in all that a notebook sees, and gone when they should be."""

import contextlib
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient

from kernels import door, provisioner
from kernels.channel import Channel
from kernels.door import FOLDER, Door, NoKernelError
from kernels.provisioner import KERNEL_NAME, WarmProvisioner, kernel_name
from kernels.warming import HEAVY, _one_look_at_packages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there can a warm process be forked")
PATIENCE = 90.0  # seconds, on a busy machine


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def ready(path: Path) -> bool:
    """Whether the door at `path` answers."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(0.5)
        try:
            connection.connect(str(path))
            return Channel(connection).receive()[0] == "r"
        except (OSError, TimeoutError):
            return False


@pytest.fixture(scope="module")
def opened() -> Iterator[Door]:
    with Door(os.environ) as own:
        until(lambda: ready(own.path), "the door does not open")
        yield own


@pytest.fixture
def own(opened: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """An open door, to which this process's kernels go."""
    monkeypatch.setenv(FOLDER, str(opened.folder))
    return opened


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid)


def is_warm(manager: KernelManager) -> bool:
    return isinstance(manager.provisioner.process, provisioner.WarmProcess)  # type: ignore[union-attr]


@contextlib.contextmanager
def kernel(name: str = KERNEL_NAME, **options: Any) -> Iterator[tuple[KernelManager, Callable[..., str]]]:
    """Yield a kernel, and a function that runs code in it and returns what was printed, shown or raised."""
    manager, client = start_new_kernel(kernel_name=name, **options)

    def run(source: str) -> str:
        said: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            said.append(content.get("text") or str(content.get("data", "")) or content.get("ename", ""))

        client.execute_interactive(source, timeout=PATIENCE, allow_stdin=False, output_hook=hook)
        return "".join(said)

    try:
        yield manager, run
    finally:
        client.stop_channels()
        if manager.has_kernel:
            manager.shutdown_kernel()
            manager.cleanup_resources()


def execute(name: str, *sources: str, **options: Any) -> Any:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])  # type: ignore[no-untyped-call]
    NotebookClient(notebook, kernel_name=name, timeout=60, **options).execute()
    return notebook


def test_the_kernelspec_is_installed_with_the_course() -> None:
    spec = KernelSpecManager().get_kernel_spec(KERNEL_NAME)
    assert spec.metadata["kernel_provisioner"] == {"provisioner_name": KERNEL_NAME, "config": {}}
    normal = KernelSpecManager().get_kernel_spec("python3")
    assert spec.argv[1:] == normal.argv[1:]
    assert {**spec.metadata, "kernel_provisioner": 0} == {**normal.metadata, "kernel_provisioner": 0}
    source = Path(door.__file__).parent / "kernelspec" / "kernel.json"
    assert (Path(spec.resource_dir) / "kernel.json").read_bytes() == source.read_bytes()


LOOK = f"""
import importlib
for name in {HEAVY!r}: importlib.import_module(name)
import asyncio, gc, json, locale, logging, multiprocessing, os, resource, signal, sys, tempfile, threading, time
import warnings
import matplotlib, numpy, pandas, sklearn, tqdm.auto
def links():  # the listing's own descriptor is closed by now, whichever number it had
    opened = ['/proc/self/fd/' + fd for fd in os.listdir('/proc/self/fd') if int(fd) > 2]
    return [os.readlink(one) for one in opened if os.path.lexists(one)]
def loggers(): return [one for one in logging.root.manager.loggerDict.items() if isinstance(one[1], logging.Logger)]
shell = get_ipython()
keys = 'Umask', 'CapEff', 'Groups', 'SigIgn', 'SigBlk', 'NoNewPrivs'
signals = signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP
look = {{
    'cwd': os.getcwd(),
    'argv': sys.argv[:2],
    'orig': sys.orig_argv[:4],
    'path': sys.path,
    'flags': sys.flags,
    'options': sys._xoptions,
    'name': __name__,
    'main': sys.modules['__main__'].__dict__ is globals(),
    'executable': sys.executable,
    'environment': sorted(os.environ.items()),
    'signals': [signal.getsignal(number) for number in signals],
    'leader': [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
    'threads': sorted(type(thread).__name__ for thread in threading.enumerate()),
    'main thread': threading.current_thread() is threading.main_thread(),
    'descriptors': sorted({{link.partition(':')[0] for link in links() if '/profile_default' not in link}}),
    'input': [type(sys.stdin), os.read(0, 1)],
    'collector': [gc.isenabled(), gc.get_threshold()],
    'matplotlib': [dict(matplotlib.rcParams), matplotlib.get_backend(), matplotlib.is_interactive()],
    'pandas': [(key, str(pandas.get_option(key)).lower()) for key in sorted(pandas._config.config._registered_options)],
    'numpy': [numpy.get_printoptions(), numpy.geterr(), sklearn.get_config()],
    'tqdm': str(tqdm.auto.tqdm.__mro__),
    'filters': sorted(map(str, warnings.filters)),
    'root': [logging.root.level, logging.root.handlers],
    'loggers': sorted((n, l.level, str(l.handlers), l.propagate) for n, l in loggers() if l.level or l.handlers),
    'loop': [type(asyncio.get_event_loop_policy()), type(asyncio.get_running_loop())],
    'locale': [locale.getlocale(), time.tzname, tempfile.gettempdir()],
    'limits': [resource.getrlimit(number) for number in range(16)],
    'multiprocessing': [multiprocessing.get_start_method(True), multiprocessing.process.ORIGINAL_DIR],
    'ours': [name for name in sys.modules if name.partition('.')[0] in ('base', 'kernels', 'autograder', 'course')],
    'streams': [sys.__stdout__.encoding, sys.__stderr__.errors],
    'hooks': [sys.excepthook.__qualname__, type(sys.displayhook)],
    'shell': sorted(type(one).__name__ for one in shell.configurables if 'Inline' in type(one).__name__),
    'events': sorted((name, len(functions)) for name, functions in shell.events.callbacks.items()),
    'scheduling': [os.nice(0), sorted(os.sched_getaffinity(0)), open('/proc/self/oom_score_adj').read()],
    'group': open('/proc/self/cgroup').read(),
    'status': [line for line in open('/proc/self/status') if line.partition(':')[0] in keys],
}}
print(json.dumps(look, default=str))
"""


def test_a_warm_kernel_looks_like_a_new_process(own: Door, tmp_path: Path) -> None:
    """All that a process has from its start; the libraries are imported in both, for only there the kernels differ."""
    found = []
    (tmp_path / "temp").mkdir()
    environment = {**os.environ, "EXTRA": "ä", "TMPDIR": str(tmp_path / "temp")}
    for name in ("python3", KERNEL_NAME):
        with kernel(name, cwd=str(tmp_path), env=environment) as (manager, run):
            assert is_warm(manager) == (name == KERNEL_NAME)
            run("1")  # as a notebook's second cell sees it
            said = run(LOOK)
            looked = [json.loads(line) for line in said.splitlines() if line.startswith('{"cwd"')]
            assert looked, said
            found += looked
    cold, warm = found
    assert warm == cold
    assert warm["cwd"] == warm["multiprocessing"][1] == str(tmp_path)
    assert warm["shell"] == ["InlineBackend"]
    assert ["EXTRA", "ä"] in warm["environment"]


DRAW = (
    "import random, uuid, tempfile, secrets, multiprocessing, numpy as np\n"
    "print(random.random(), np.random.rand(), np.random.default_rng().random(), uuid.uuid4(), "
    "next(tempfile._get_candidate_names()), secrets.token_hex(), multiprocessing.current_process().authkey.hex())"
)


def test_no_two_kernels_draw_the_same(own: Door) -> None:
    draws = []
    for _ in range(2):
        with kernel() as (_, run):
            draws.append(run(DRAW).split())
    assert len(draws[0]) == 7
    assert [one for one, other in zip(*draws, strict=True) if one == other] == []


@pytest.mark.parametrize("first", ["pass", "%matplotlib inline", "%config InlineBackend.figure_formats = ['png']"])
def test_plots_show(own: Door, first: str) -> None:
    notebook = execute(KERNEL_NAME, first, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);", "!echo $((6*7))")
    [plot] = notebook.cells[1].outputs
    assert (plot.output_type, set(plot.data)) == ("display_data", {"image/png", "text/plain"})
    [echo] = notebook.cells[2].outputs
    assert echo.text.strip() == "42"


AT_WORK = """
import asyncio, concurrent.futures as futures, multiprocessing as mp, ssl, subprocess, sys, threading, os
import numpy as np, pyarrow as pa, pyarrow.compute as pc, lightgbm
from sklearn.ensemble import RandomForestClassifier
def work():
    X = np.arange(2000.0).reshape(500, 4); y = np.arange(500) % 2
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, min_child_samples=5).fit(X, y)
    forest = RandomForestClassifier(5, n_jobs=2, random_state=0).fit(X, y)
    total = pc.sum(pa.chunked_array([X[:, 0]] * 8)).as_py()
    return float((X @ X.T)[0, 1]), total, len(model.predict(X)), forest.score(X, y) > 0.5
print(work())
thread = threading.Thread(target=lambda: print('thread', work())); thread.start(); thread.join()
for method in ('fork', 'spawn', 'forkserver'):
    with futures.ProcessPoolExecutor(2, mp_context=mp.get_context(method)) as pool:
        print(method, list(pool.map(abs, [-1, -2])), os.getpid() not in pool.map(os.getppid, []) )
print(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout)
print(await asyncio.to_thread(abs, -3), ssl.create_default_context() is not None)
from joblib import Parallel, delayed
print(Parallel(2)(delayed(abs)(-n) for n in range(3)))
"""


def test_everything_works_in_it(own: Door) -> None:
    with kernel("python3") as (_, run):
        cold = run(AT_WORK)
    with kernel() as (_, run):
        assert run(AT_WORK) == cold
    assert "forkserver [1, 2]" in cold
    assert cold.endswith("[0, 1, 2]\n")


def test_a_parent_reads_the_names_of_all_packages_once(monkeypatch: pytest.MonkeyPatch) -> None:
    group, looks = {"group": "console_scripts"}, list[dict[str, str]]()
    real = metadata.entry_points

    def look(**wanted: str) -> Any:
        looks.append(wanted)
        return real(**wanted)

    monkeypatch.setattr(metadata, "entry_points", look)
    with _one_look_at_packages():
        within = metadata.entry_points
        found = [set(within(**group)) for _ in range(3)]
    assert found == [set(real(**group))] * 3
    assert looks == [{}]
    assert set(within(**group)) == found[0]  # who has kept the function gets what is installed then
    assert looks == [{}, group]
    assert metadata.entry_points is look


def test_an_interrupt_stops_the_cell_alone(own: Door) -> None:
    with kernel() as (manager, run):
        run("x = 1")
        run("import os, threading, signal\nthreading.Timer(1, os.killpg, (os.getpgid(0), signal.SIGINT)).start()")
        assert run("import time\ntime.sleep(60)") == "KeyboardInterrupt"
        assert run("x") == "{'text/plain': '1'}"
        manager.interrupt_kernel()
        assert run("x") == "{'text/plain': '1'}"
    assert ready(own.path), "the interrupt went to the parent"


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import os; os._exit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("exit()", 0),
    ],
)
def test_the_exit_status_is_the_kernels(own: Door, source: str, status: int) -> None:
    manager, client = start_new_kernel(kernel_name=KERNEL_NAME)
    try:
        process = manager.provisioner.process  # type: ignore[union-attr]
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
        client.execute(source)
        assert process.wait(PATIENCE) == status == process.poll()
        until(lambda: gone(process.pid), "it stays a zombie")
        process.send_signal(signal.SIGKILL)  # to nobody
        assert process.pid not in provisioner.running()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_stop_and_restart(own: Door) -> None:
    manager, client = start_new_kernel(kernel_name=KERNEL_NAME)
    pids = [manager.provisioner.pid]  # type: ignore[union-attr]
    client.execute_interactive("x = 1", timeout=PATIENCE)
    manager.restart_kernel()
    client.wait_for_ready(timeout=PATIENCE)
    pids.append(manager.provisioner.pid)  # type: ignore[union-attr]
    reply = client.execute_interactive("x", timeout=PATIENCE, output_hook=lambda message: None)
    assert reply["content"]["ename"] == "NameError"
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=PATIENCE)
    pids.append(manager.provisioner.pid)  # type: ignore[union-attr]
    client.stop_channels()
    manager.shutdown_kernel()
    assert len(set(pids)) == 3
    for pid in pids:
        until(partial(gone, pid), "a kernel is left")


def test_kernel_channels_may_be_unix_sockets(own: Door, tmp_path: Path) -> None:
    manager = KernelManager(kernel_name=KERNEL_NAME, transport="ipc", ip=str(tmp_path / "k"))
    manager.start_kernel()
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        assert is_warm(manager)
        assert client.execute_interactive("1", timeout=PATIENCE)["content"]["status"] == "ok"
        assert list(tmp_path.glob("k-*"))
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def test_what_a_kernel_leaves_undone_is_done_at_its_end(own: Door, tmp_path: Path) -> None:
    with kernel(cwd=str(tmp_path)) as (_, run):
        run("""
import atexit, threading, time, pathlib, types
file = open('unflushed', 'w'); file.write('all of it')
holder = types.ModuleType('holder'); import sys; sys.modules['holder'] = holder
holder.file = open('of-a-module', 'wb'); holder.file.write(b'this too')
atexit.register(lambda: pathlib.Path('atexit').write_text('called'))
class Thing:
    def __del__(self, path=pathlib.Path('del')): path.write_text('called')
thing = Thing(); thing.itself = thing
threading.Thread(target=lambda: (time.sleep(0.5), pathlib.Path('thread').write_text('waited for'))).start()
""")
    said = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert said == {
        "unflushed": "all of it",
        "of-a-module": "this too",
        "atexit": "called",
        "del": "called",
        "thread": "waited for",
    }


def test_a_client_that_is_killed_leaves_nothing(own: Door) -> None:
    program = (
        "import sys, time\nfrom jupyter_client.manager import start_new_kernel\n"
        f"manager, client = start_new_kernel(kernel_name={KERNEL_NAME!r})\n"
        "code = \"import subprocess; a = subprocess.Popen(['sleep', '300']); "
        "b = subprocess.Popen(['sleep', '300'], start_new_session=True); print(a.pid, b.pid)\"\n"
        "client.execute_interactive(code, timeout=60)\n"
        "import os; fork = os.fork() or time.sleep(300)\n"  # who has the connection too shall not keep the kernel alive
        "print(manager.provisioner.pid, fork, flush=True)\ntime.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        pids = [int(word) for _ in range(2) for word in client.stdout.readline().split()]
        assert len(pids) == 4
        assert not any(map(gone, pids))
        client.kill()
    for pid in pids[:3]:
        until(partial(gone, pid), f"{pid} of {pids} is left")
    os.kill(pids[3], signal.SIGKILL)
    assert ready(own.path)


def test_a_parent_that_is_killed_takes_its_kernels_along(monkeypatch: pytest.MonkeyPatch) -> None:
    with Door(os.environ) as own:
        monkeypatch.setenv(FOLDER, str(own.folder))
        with kernel() as (manager, _):
            pid = manager.provisioner.pid  # type: ignore[union-attr]
            own.process.kill()
            assert manager.provisioner.process.wait(PATIENCE) == -signal.SIGKILL  # type: ignore[union-attr]
            until(lambda: gone(pid), "its kernel is left")
        with kernel() as (manager, run):
            assert not is_warm(manager)
            assert run("6 * 7") == "{'text/plain': '42'}"
    assert not own.folder.exists()


def test_the_end_of_a_command_ends_its_door_and_kernels() -> None:
    program = (
        "import os, time\nfrom kernels.door import Door\nfrom jupyter_client.manager import start_new_kernel\n"
        "own = Door(os.environ)\nos.environ.update(own.variables)\n"
        f"manager, client = start_new_kernel(kernel_name={KERNEL_NAME!r})\n"
        "print(own.process.pid, manager.provisioner.pid, own.folder, flush=True)\ntime.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        *words, last = command.stdout.readline().split()
        pids, folder = [int(word) for word in words], Path(last)
        assert psutil.Process(pids[1]).ppid() == pids[0]
        command.kill()
    for pid in pids:
        until(partial(gone, pid), "something is left")
    assert not folder.exists()


def test_kernels_leave_nothing_in_the_parent(own: Door) -> None:
    parent = psutil.Process(own.process.pid)
    until(lambda: not parent.children(), "kernels of other tests are left")
    before, memory = parent.num_fds(), parent.memory_info().rss
    for _ in range(5):
        execute(KERNEL_NAME, "1")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as rude:  # who knocks and goes
        rude.connect(str(own.path))
    until(lambda: parent.num_fds() == before and not parent.children(), f"{parent.num_fds()} instead of {before}")
    assert parent.memory_info().rss - memory < 2e6
    assert parent.num_threads() == 1
    assert provisioner.running() == []


def test_most_of_a_kernels_memory_is_its_parents(own: Door) -> None:
    with kernel() as (manager, run):
        run("import pandas, mlflow, sklearn.ensemble, matplotlib.pyplot")
        found = psutil.Process(manager.provisioner.pid).memory_full_info()  # type: ignore[union-attr]
    assert found.uss < 100e6 < found.rss


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [({"OMP_NUM_THREADS": "3"}, 3), ({"OMP_NUM_THREADS": "2,1"}, 2), ({}, len(os.sched_getaffinity(0)))],
)
def test_libraries_use_as_many_threads_as_the_kernel_was_given(
    own: Door, variables: dict[str, str], wanted: int
) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")} | variables
    look = (
        "import json, threadpoolctl, lightgbm, numpy, pyarrow, sklearn.ensemble\n"
        "found = [(pool['internal_api'], pool['num_threads']) for pool in threadpoolctl.threadpool_info()]\n"
        "print(json.dumps([*sorted(found), ('arrow', pyarrow.cpu_count())]))"
    )
    found = []
    for name in ("python3", KERNEL_NAME):
        with kernel(name, env=environment) as (manager, run):
            assert is_warm(manager) == (name == KERNEL_NAME)
            found.append(json.loads(run(look)))
    assert found[0] == found[1]
    assert ["arrow", wanted] in found[0]
    assert ["openmp", wanted] in found[0]


def test_standard_streams_go_where_they_should(own: Door, tmp_path: Path) -> None:
    write = "import os, time; os.write(2, b'low\\n'); time.sleep(1)"  # a thread of the kernel reads it
    # Under pytest, a kernel would not read what compiled code writes.
    plain = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
    with (tmp_path / "log").open("w") as log, kernel(stderr=log, stdout=subprocess.PIPE, env=plain) as (manager, run):
        assert is_warm(manager)
        seen = run(write)
        assert "low" in seen
        assert manager.provisioner.process.stdout is not None  # type: ignore[union-attr]
    with kernel("python3", stderr=subprocess.DEVNULL, env=plain) as (_, run):
        assert run(write) == seen


# Where there is no warm parent.


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelname, record.getMessage()))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """What the provisioner says; nothing was said before."""
    monkeypatch.setattr(provisioner, "_said", set())
    listener, logger = _Listener(), logging.getLogger("traitlets")
    before = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield listener.said
    logger.removeHandler(listener)
    logger.setLevel(before)


def normal_kernel(log: list[tuple[str, str]], **options: Any) -> list[tuple[str, str]]:
    """Start a kernel, which must be a normal one that works, and return what was said about that."""
    log.clear()
    with kernel(**options) as (manager, run):
        assert not is_warm(manager)
        assert isinstance(manager.provisioner, WarmProvisioner)
        assert run("6 * 7") == "{'text/plain': '42'}"
    return [(level, text) for level, text in log if "normal kernel" in text]


def test_where_a_process_cannot_be_forked_a_normal_kernel_starts_and_that_is_said_once(
    own: Door, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioner, "can_fork", lambda: False)
    [(level, text)] = normal_kernel(log)
    assert (level, "cannot fork" in text) == ("WARNING", True)
    [(level, _)] = normal_kernel(log)
    assert level == "DEBUG"
    assert kernel_name() == "python3"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("raise RuntimeError('planted fault')", "planted fault"),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "thread"),
        ("import os\nos._exit(1)", "is gone"),
    ],
)
def test_a_parent_that_cannot_start_is_said_once(
    tmp_path: Path, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, module: str, said: str
) -> None:
    (tmp_path / "lightgbm.py").write_text(module, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Door(os.environ) as own:
        monkeypatch.setenv(FOLDER, str(own.folder))
        [(level, text)] = normal_kernel(log)
        assert (level, said in text) == ("WARNING", True), text
        assert said in own.failure or said == "is gone"


@pytest.mark.parametrize("options", [{"independent": True}, {"env": {**os.environ, "PYTHONHASHSEED": "0"}}])
def test_what_only_a_new_process_can_be_is_one(own: Door, log: list[tuple[str, str]], options: dict[str, Any]) -> None:
    [(level, _)] = normal_kernel(log, **options)
    assert level == "WARNING"


def test_a_folder_that_is_not_there_is_the_usual_error(own: Door, tmp_path: Path) -> None:
    errors = []
    for name in ("python3", KERNEL_NAME):
        with pytest.raises(FileNotFoundError) as error:
            KernelManager(kernel_name=name).start_kernel(cwd=str(tmp_path / "no"))
        errors.append(error.value.filename)
    assert errors[0] == errors[1]


# The door that outlives its command.


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this user's doors are, and, at the end, no more. A socket's path must be short."""
    monkeypatch.delenv(FOLDER)
    monkeypatch.setattr(door, "_left", [])
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder) / "warm-kernels"
        for process in door._left:
            process.kill()
            process.wait()


def test_the_first_kernel_leaves_a_door_for_the_next(users: Path, log: list[tuple[str, str]]) -> None:
    [(level, text)] = normal_kernel(log)
    assert (level, "the next will be warm" in text) == ("DEBUG", True)
    assert users.stat().st_mode & 0o777 == 0o700
    [path] = users.iterdir()
    until(lambda: ready(path), "the door does not open")
    for _ in range(2):
        with kernel() as (manager, run):
            assert is_warm(manager)
            assert psutil.Process(manager.provisioner.pid).ppid() == door._left[0].pid  # type: ignore[union-attr]
            assert run("6 * 7") == "{'text/plain': '42'}"
    assert len(door._left) == 1
    door._left[0].kill()
    door._left[0].wait()
    [(level, _)] = normal_kernel(log)  # the socket is still there
    assert level == "DEBUG"
    assert len(door._left) == 2


def test_two_who_start_one_at_the_same_time_start_one(users: Path) -> None:
    path = door.users_door(os.environ)
    door.leave(path, os.environ)
    door._left[0].send_signal(signal.SIGSTOP)  # however long this test takes, the door is not open yet
    try:
        with pytest.raises(door.NotYetError):
            door.leave(path, os.environ)
        with pytest.raises(door.NotYetError, match="not ready yet"):
            provisioner._knock(os.environ)
    finally:
        door._left[0].send_signal(signal.SIGCONT)
    assert len(door._left) == 1


def test_a_door_nobody_comes_to_ends(users: Path) -> None:
    path = door.users_door(os.environ)
    door.leave(path, os.environ, idle=1.0)
    until(lambda: ready(path), "the door does not open")
    with kernel() as (manager, run):
        assert is_warm(manager)
        time.sleep(3)  # longer than it waits for the next
        assert run("6 * 7") == "{'text/plain': '42'}"
    assert door._left[0].wait(PATIENCE) == 0
    assert list(users.iterdir()) == []


def test_a_door_whose_socket_is_gone_ends(users: Path) -> None:
    path = door.users_door(os.environ)
    door.leave(path, os.environ)
    until(lambda: ready(path), "the door does not open")
    path.unlink()
    assert door._left[0].wait(PATIENCE) == 0


def test_a_door_that_could_not_open_is_not_tried_at_once_again(
    users: Path, tmp_path: Path, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lightgbm.py").write_text("raise RuntimeError('planted fault')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert [level for level, _ in normal_kernel(log)] == ["DEBUG"]
    door._left[0].wait(PATIENCE)
    [(level, text)] = normal_kernel(log)
    assert (level, "planted fault" in text) == ("WARNING", True)
    assert len(door._left) == 1
    monkeypatch.setattr(door, "RETRY", 0.0)
    normal_kernel(log)
    assert len(door._left) == 2


def test_a_folder_that_others_can_enter_is_not_used(users: Path, log: list[tuple[str, str]]) -> None:
    users.mkdir(mode=0o755)
    users.chmod(0o755)
    [(level, text)] = normal_kernel(log)
    assert (level, "this user alone" in text) == ("WARNING", True)
    users.rmdir()
    users.symlink_to(users.parent)
    with pytest.raises(NoKernelError, match="this user alone"):
        door.users_folder()
    assert door._left == []


def test_no_place_for_a_socket_breaks_nothing(
    users: Path, tmp_path: Path, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    [(level, text)] = normal_kernel(log)
    assert (level, "too long" in text) == ("WARNING", True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_turned_away(own: Door) -> None:
    """Even one who could enter the folder."""
    own.folder.chmod(0o711)
    own.path.chmod(0o777)
    try:
        stranger = os.fork()
        if stranger == 0:
            status = 1
            try:
                os.setgid(65534)
                os.setuid(65534)
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(own.path))
                status = 10 + len(connection.recv(1))
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(stranger, 0)[1]) == 10
    finally:
        own.folder.chmod(0o700)
    assert ready(own.path)


def test_a_door_has_another_name_where_its_kernels_would_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = {"HOME": "/h", "OMP_NUM_THREADS": "1", "PYTEST_CURRENT_TEST": "a"}
    name = door.name(plain)
    for same in ({"PYTEST_CURRENT_TEST": "b"}, {"OMP_NUM_THREADS": "8"}, {"MPLBACKEND": door.INLINE}, {"JPY_X": "1"}):
        assert door.name({**plain, **same}) == name, same
    for other in (
        {"HOME": "/g"},
        {"PYTHONPATH": "x"},
        {"MPLBACKEND": "agg"},
        {"LC_ALL": "C"},
        {"MALLOC_ARENA_MAX": "1"},
    ):
        assert door.name({**plain, **other}) != name, other
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    limited = door.name(plain)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limited != door.name(plain) == name
    monkeypatch.setattr(door, "_package_folders", lambda: [str(tmp_path)])
    before = door.name(plain)
    (tmp_path / "new_package").mkdir()
    assert door.name(plain) != before


# Who uses it.


def test_jupyters_tools_use_it_unchanged(own: Door, tmp_path: Path) -> None:
    import papermill
    from nbconvert.preprocessors import ExecutePreprocessor

    source = "import os; os.getppid()"
    path = tmp_path / "in.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])  # type: ignore[no-untyped-call]
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    done = [
        execute(KERNEL_NAME, source),
        ExecutePreprocessor(kernel_name=KERNEL_NAME).preprocess(notebook, {})[0],  # type: ignore[no-untyped-call]
        papermill.execute_notebook(path, None, kernel_name=KERNEL_NAME, progress_bar=False),
    ]
    for executed in done:
        assert executed.cells[-1].outputs[0].data["text/plain"] == str(own.process.pid)
