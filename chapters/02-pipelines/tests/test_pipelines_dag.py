"""A graph of steps: its order, the mistakes that it names before anything runs, and what running it leaves."""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakbank.pipelines import TrainingConfig
from oakbank.pipelines.artifacts import Steps
from oakbank.pipelines.dag import Dag, DagError, Source, Step
from oakbank.pipelines.training import training_dag
from oakbank.world import Lake
from oakbank.world.files import write_text


def join(result: Path, tag: str = "", **parts: Path) -> None:
    """Write what it was given, in brackets."""
    write_text(result, f"{tag}({' '.join(parts[name].read_text() for name in sorted(parts))})")


def step(name: str, *needs: str | Path, **params: Any) -> Step:
    inputs: dict[str, Source] = {
        f"in{i}": need if isinstance(need, Path) else f"{need}.result" for i, need in enumerate(needs)
    }
    return Step(name, join, inputs, {"result": "result.txt"}, {"tag": name} | params)


# ---- the order ----


def test_each_step_finds_what_it_reads(tmp_path: Path) -> None:
    write_text(tmp_path / "source.txt", "x")
    dag = Dag([step("c", "a", "b"), step("b", "a"), step("a", tmp_path / "source.txt")])
    assert dag.order == ("a", "b", "c")
    steps = Steps(tmp_path / "run")
    made = dag.run(steps)
    assert made["c"]["result"].read_text() == "c(a(x) b(a(x)))"
    assert steps.ran == ["a", "b", "c"]


@given(data=st.data(), n=st.integers(1, 9))
def test_any_graph_without_a_circle_has_an_order_and_one_with_a_circle_says_so(data: st.DataObject, n: int) -> None:
    names = data.draw(st.permutations(string.ascii_lowercase[:n]))
    needs = {name: data.draw(st.sets(st.sampled_from(names[:i]))) if i else set() for i, name in enumerate(names)}
    declared = data.draw(st.permutations(names))
    order = Dag([step(name, *sorted(needs[name])) for name in declared]).order
    assert Dag([step(name, *sorted(needs[name])) for name in order]).order == order  # a good order is kept
    assert sorted(order) == sorted(names)
    assert all(order.index(need) < order.index(name) for name in names for need in needs[name])
    # Now one of them reads from itself, or from one of those that read from it.
    last = data.draw(st.sampled_from(names))
    needs[last] = needs[last] | {
        data.draw(st.sampled_from([name for name in names if name == last or last in _upstream(needs, name)]))
    }
    with pytest.raises(DagError, match="is a circle, so none of them can start"):
        Dag([step(name, *sorted(needs[name])) for name in declared])


def _upstream(needs: Mapping[str, set[str]], name: str) -> set[str]:
    return needs[name].union(*(_upstream(needs, need) for need in needs[name]))


def test_the_steps_of_a_circle_are_named() -> None:
    with pytest.raises(DagError) as error:
        Dag([step("a"), step("b", "a", "d"), step("c", "b"), step("d", "c")])
    assert sorted(set(str(error.value).partition(" is a circle")[0].split(" -> "))) == ["b", "c", "d"]


# ---- what is done stays done ----


def test_only_what_follows_a_change_runs_again(tmp_path: Path) -> None:
    def ran(**tags: str) -> list[str]:
        graph = Dag(
            [
                step("left", tag=tags.get("left", "l")),
                step("right", tag=tags.get("right", "r")),
                step("both", "left", "right"),
                step("alone", "left"),
            ]
        )
        steps = Steps(tmp_path)
        graph.run(steps)
        return steps.ran

    assert ran() == ["left", "right", "both", "alone"]
    assert ran() == []
    assert ran(right="R") == ["right", "both"]
    assert ran(right="R", left="L") == ["left", "both", "alone"]


def test_what_ended_before_a_failure_is_found_done(tmp_path: Path) -> None:
    def broken(in0: Path, result: Path) -> None:
        result.write_text("half")
        raise ValueError("the third row has no amount")

    def graph(middle: Any) -> Dag:
        return Dag([step("a"), Step("b", middle, {"in0": "a.result"}, {"result": "result.txt"}), step("c", "b")])

    steps = Steps(tmp_path)
    with pytest.raises(ValueError, match="third row") as error:
        graph(broken).run(steps)
    assert "step b in" in error.value.__notes__[0]
    assert steps.ran == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    steps = Steps(tmp_path)
    graph(join).run(steps)
    assert steps.ran == ["b", "c"]


# ---- mistakes are named before anything runs ----


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (lambda: [step("a"), step("a")], "two steps are called a: rename one"),
        (lambda: [step("features"), step("b", "featuers")], "'featuers', which is not there: did you mean 'features'"),
        (lambda: [step("a"), step("b", "zzz")], "'zzz', which is not there: choose one of a, b"),
        (
            lambda: [step("a"), Step("b", join, {"x": "a.reslt"}, {"result": "r"})],
            "step b reads x from 'a.reslt', which a does not write: did you mean 'result'",
        ),
        (lambda: [step("a"), Step("b", join, {"x": "a"}, {"result": "r"})], "'a.', which a does not write: choose one"),
        (lambda: [step("a", "a")], "a -> a is a circle"),
        (lambda: [Step("b", join, {}, {})], "step b has no output"),
        (lambda: [Step("b", join, {}, {"result": "r", "x": "r"})], "writes two outputs to one file"),
        (lambda: [Step("b", join, {"result": Path("r")}, {"result": "r"})], "result is given twice"),
        (lambda: [Step("b", Path.touch, {}, {"result": "r"})], "step b: missing a required argument: 'self'"),
        (lambda: [Step("b", write_text, {}, {"path": "r", "txt": "t"})], "step b: .*'text'"),
        (lambda: [Step("../b", join, {}, {"result": "r"})], "a step cannot be called '../b'"),
        (lambda: [Step("b", join, {}, {"result": "r"}, retries=-1)], "retries must be 0 or more, not -1"),
    ],
)
def test_a_mistake_says_what_to_do(steps: Any, message: str) -> None:
    with pytest.raises(DagError, match=message):
        Dag(steps())


def test_a_file_that_is_not_there_is_named_before_any_step_runs(tmp_path: Path) -> None:
    dag = Dag([step("a"), step("b", "a", tmp_path / "gone.txt")])
    steps = Steps(tmp_path / "run")
    with pytest.raises(FileNotFoundError, match=r"step b reads in1 from .*gone\.txt: bring that file"):
        dag.run(steps)
    assert steps.ran == []
    assert not (tmp_path / "run").exists()


# ---- the training pipeline ----


def test_the_training_pipeline_is_such_a_graph(history: Lake) -> None:
    dag = training_dag(TrainingConfig(), history)
    assert dag.order[:5] == ("ingest", "validate", "features", "train", "evaluate")
    drawn = dag.mermaid()
    assert drawn.startswith("flowchart LR\n")
    assert "    ingest -- labelled, feed --> validate" in drawn
    assert "    features -- matrix --> train" in drawn
    assert Dag([step("alone")]).mermaid() == "flowchart LR\n    alone"
