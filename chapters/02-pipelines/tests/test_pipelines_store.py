"""The shared store: one answer to each question, whoever asks, and none from other code."""

import threading
import time
from pathlib import Path

import pytest

from oakbank.pipelines import artifacts
from oakbank.pipelines.store import question, run_stored


def upper(source: Path, copy: Path, times: int = 1) -> None:
    copy.write_text(source.read_text().upper() * times)


def ask(store: Path | str, source: Path, copy: Path, times: int = 1) -> bool:
    return run_stored(store, "upper", upper, inputs={"source": source}, outputs={"copy": copy}, params={"times": times})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("loan")
    return path


def test_the_same_question_is_answered_once_and_copied_to_whoever_asks(tmp_path: Path, source: Path) -> None:
    store = tmp_path / "store"
    moved = tmp_path / "elsewhere.txt"
    moved.write_text("loan")
    assert ask(store, source, tmp_path / "a")
    assert not ask(store, moved, tmp_path / "b")  # another path, the same bytes
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "LOAN"


def test_another_question_has_an_answer_of_its_own_and_the_old_one_stays(tmp_path: Path, source: Path) -> None:
    store = tmp_path / "store"
    assert ask(store, source, tmp_path / "a")
    assert ask(store, source, tmp_path / "b", times=2)
    source.write_text("card")
    assert ask(store, source, tmp_path / "c")
    source.write_text("loan")
    assert not ask(store, source, tmp_path / "d")
    assert [(tmp_path / name).read_text() for name in "abcd"] == ["LOAN", "LOANLOAN", "CARD", "LOAN"]
    assert question({"a": source}, {}) != question({"b": source}, {})  # the same bytes in another role
    assert question({"a": [source, source]}, {}) != question({"a": source}, {})


def test_other_code_asks_again(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    assert ask(store, source, tmp_path / "a")
    monkeypatch.setattr(artifacts, "code_hash", lambda: "other code")
    assert ask(store, source, tmp_path / "a")
    assert not ask(store, source, tmp_path / "a")


def test_a_damaged_answer_is_made_again(tmp_path: Path, source: Path) -> None:
    store = tmp_path / "store"
    assert ask(store, source, tmp_path / "a")
    (kept,) = store.glob("upper/*/upper/copy")
    kept.write_text("LOAM")
    assert ask(store, source, tmp_path / "a")
    assert (tmp_path / "a").read_text() == "LOAN"


def test_a_step_that_fails_leaves_no_answer(tmp_path: Path, source: Path) -> None:
    store = tmp_path / "store"

    def fails(source: Path, copy: Path, times: int) -> None:
        copy.write_text("half")
        raise ValueError("no data tonight")

    inputs, outputs = {"source": source}, {"copy": tmp_path / "a"}
    with pytest.raises(ValueError, match="no data tonight"):
        run_stored(store, "upper", fails, inputs=inputs, outputs=outputs, params={"times": 1})
    assert not (tmp_path / "a").exists()
    assert ask(store, source, tmp_path / "a")


def test_without_a_store_the_step_runs_each_time(tmp_path: Path, source: Path) -> None:
    assert ask("", source, tmp_path / "a")
    assert ask("", source, tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "source.txt"]


def test_two_who_ask_at_once_do_the_work_once(tmp_path: Path, source: Path) -> None:
    begun: list[str] = []

    def slow(source: Path, copy: Path) -> None:
        begun.append(source.name)
        time.sleep(0.3)
        copy.write_text("done")

    def run(name: str) -> None:
        inputs, outputs = {"source": source}, {"copy": tmp_path / name}
        run_stored(tmp_path / "store", "slow", slow, inputs=inputs, outputs=outputs, params={})

    threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "done"
