from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.deploy.functions import Function, FunctionError, cold_share, measure, packages_of
from oakbank.deploy.prices import PRICES, PriceError, break_even, per_request, read_prices


def write(folder: Path, text: str) -> Path:
    path = folder / "handler.py"
    path.write_text(text, encoding="utf-8")
    return path


COUNTS = """
calls = 0
print("starts")


def handler(event, context):
    global calls
    calls += 1
    print("noise")
    return [event, calls]
"""


def test_a_process_is_kept_warm_for_a_while(tmp_path: Path) -> None:
    file = write(tmp_path, COUNTS)
    with Function(file, keep=600) as function:
        found = [function.invoke({"é": 1}, now) for now in (0, 600, 1200, 1800.1, 1801)]
    assert [answer.cold for answer in found] == [True, False, False, True, False]
    assert [answer.value for answer in found] == [[{"é": 1}, n] for n in (1, 2, 3, 1, 2)]
    assert all(answer.seconds > 0 for answer in found)


def test_a_handler_that_raises_is_told_and_stays_warm(tmp_path: Path) -> None:
    file = write(tmp_path, "def handler(event, context):\n    return 1 / event\n")
    with Function(file) as function:
        assert function.invoke(4, 0).value == 0.25
        with pytest.raises(FunctionError, match=r"handler\.py: .*ZeroDivisionError"):
            function.invoke(0, 1)
        assert not function.invoke(4, 2).cold


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_package\n", "ended without an answer: ModuleNotFoundError"),
        ("def handler(:\n", "ended without an answer: SyntaxError"),
        ("x = 1\n", "KeyError: 'handler'"),
        ("def handler(event, context):\n    return {1, 2}\n", "TypeError.*not JSON serializable"),
        ("import os\ndef handler(event, context):\n    os._exit(3)\n", "ended without an answer: it said nothing"),
    ],
)
def test_a_bad_handler_is_an_error_that_says_what(tmp_path: Path, text: str, says: str) -> None:
    with Function(write(tmp_path, text)) as function:
        for _ in range(2):
            with pytest.raises(FunctionError, match=f"(?s){says}"):
                function.invoke({}, 0)


def test_a_handler_that_hangs_is_ended_and_the_next_call_starts_anew(tmp_path: Path) -> None:
    file = write(tmp_path, "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'woke'\n")
    with Function(file, timeout=1) as function:
        with pytest.raises(FunctionError, match="took longer than 1 s"):
            function.invoke(60, 0)
        answer = function.invoke(0, 0)
    assert answer.cold
    assert answer.value == "woke"


def test_no_handler_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FunctionError, match="write one with"):
        Function(tmp_path / "none.py")
    with pytest.raises(FunctionError, match="no_such_package"):
        packages_of(write(tmp_path, "import no_such_package\n"))


def test_a_package_is_measured_with_what_it_imports(tmp_path: Path) -> None:
    slow = write(tmp_path, "import time, numpy\ntime.sleep(0.5)\ndef handler(event, context):\n    return 1\n")
    quick = tmp_path / "quick.py"
    quick.write_text("print('hello')\ndef handler(event, context):\n    return 1\n")
    heavy, light = measure([slow, quick], {}, rounds=1, warm=3)
    assert heavy.first > 0.5 > heavy.later
    assert heavy.first > light.first > light.later
    assert 20 < heavy.megabytes - light.megabytes < 200
    assert "numpy" in packages_of(slow)
    assert "numpy" not in packages_of(quick)


def test_the_share_of_cold_starts_is_that_of_a_simulation() -> None:
    import numpy as np

    gaps = np.random.default_rng(0).exponential(86_400 / 300, 100_000)
    assert cold_share(300) == pytest.approx((gaps > 600).mean(), rel=0.02)
    assert cold_share(0) == 1


def test_prices_have_a_day_and_a_source() -> None:
    prices = read_prices()
    for part in yaml.safe_load(PRICES.read_text(encoding="utf-8")).values():
        assert part["source"].startswith("https://aws.amazon.com/")
        assert part["read_in"].startswith("https://")
    assert prices.as_of.year >= 2026
    requests = break_even(prices, 0.5, 0.005)
    assert requests * per_request(prices, 0.5, 0.005) == pytest.approx(prices.machine_a_day)
    assert break_even(prices, 1, 0.1) < requests


@pytest.mark.parametrize(
    ("part", "key", "value", "says"),
    [
        ("function", "per_request", None, r"function\.per_request is None: give a number above 0"),
        ("function", "per_gb_second", "2e-5", r"function\.per_gb_second is '2e-5'"),
        ("machine", "vcpu", 0, r"machine\.vcpu is 0"),
        ("machine", "per_gb_hour", True, r"machine\.per_gb_hour is True"),
        ("machine", "as_of", "June", "needs `source` and `as_of`"),
        ("function", "source", None, "needs `source` and `as_of`"),
    ],
)
def test_a_price_that_is_none_is_refused(tmp_path: Path, part: str, key: str, value: object, says: str) -> None:
    content = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    content[part][key] = value
    path = tmp_path / "prices.yml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(PriceError, match=says):
        read_prices(path)


@given(st.binary(max_size=60))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_any_other_file_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(content)
    with pytest.raises(PriceError):
        read_prices(path)
    with pytest.raises(PriceError, match="cannot be read"):
        read_prices(path.with_name("none.yml"))
