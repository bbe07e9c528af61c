import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from oakbank.pipelines import PipelineBusyError, folder_lock
from oakbank.scale import plots
from oakbank.scale.flight import FlightLog, flight_code, fly
from oakbank.scale.page import TEMPLATE, headline, write_report
from oakbank.scale.policy import CARE, NEGLECT
from oakbank.scale.report import forget_other, measured_seeds, progress, read_seeds
from oakbank.world import World, load_scenario
from oakbank.world.files import write_json

MONTHS = 5  # with the broken feed of months 3 and 4
COMMAND = [sys.executable, "-W", "ignore", "-m", "oakbank.scale.report"]


def logs(folder: Path) -> tuple[FlightLog, FlightLog]:
    """Read what was flown; nothing is flown again."""
    world = World(7, "stormy")
    care, neglect = (fly(world, policy, folder / policy.name, MONTHS) for policy in (CARE, NEGLECT))
    return care, neglect


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("main")
    done = subprocess.run([*COMMAND, folder, "--months", str(MONTHS)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_command_tells_each_month_and_the_result(flown: tuple[Path, str]) -> None:
    folder, output = flown
    lines = output.splitlines()
    for policy in ("care", "neglect"):
        assert [int(line.split()[2]) for line in lines if line.startswith(policy)] == list(range(MONTHS))
    assert "feed: income: the median is 12" in output
    assert lines[-2] == headline(*logs(folder))
    assert lines[-1] == str(folder / "report.html")


def test_care_pays_already_when_the_feed_breaks(flown: tuple[Path, str]) -> None:
    care, neglect = logs(flown[0])
    assert neglect.profit < care.profit < care.oracle == neglect.oracle
    assert headline(care, neglect).startswith(
        f"The bank that cared for its model earned {care.profit / 1e6:.1f} million"
    )


def test_the_page_holds_all_it_shows_and_is_accessible(flown: tuple[Path, str]) -> None:
    text = (flown[0] / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    for tag, attributes in page.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    assert page.of("html")[0]["lang"] == "en"
    assert len(page.of("h1")) == len(page.of("title")) == len(page.of("main")) == 1
    images = page.of("img")
    assert len(images) == 6
    assert all(len(image["alt"] or "") > 60 for image in images)
    assert all("wrong unit: income from month 3" in (image["alt"] or "") for image in images)
    assert len(page.of("caption")) == len(page.of("table")) == 3
    assert all(cell.get("scope") == "col" for cell in page.of("th"))
    assert not page.of("script")
    said = " ".join(page.words)
    assert headline(*logs(flown[0])) in said
    assert "repaired the column, keeps the month out of training" in said


def _contrast(colour: str) -> float:
    """WCAG 2 contrast with white."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_colours_of_text_and_lines_stand_out() -> None:
    text = re.findall(r"[^-]color: (#\w+)", TEMPLATE.read_text(encoding="utf-8"))
    text = [c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:]) for c in text]
    marks = [*plots.EVENT_COLOURS.values(), plots.FEED_COLOUR, plots.CARE[0], plots.NEGLECT[0], plots.ORACLE[0]]
    assert len(text) >= 3
    assert min(map(_contrast, [*text, *marks])) >= 4.5


def test_the_same_flights_give_the_same_bytes(flown: tuple[Path, str], tmp_path: Path) -> None:
    page = write_report(*logs(flown[0]), load_scenario("stormy"), tmp_path / "again.html", measured_seeds())
    assert page.read_bytes() == (flown[0] / "report.html").read_bytes()


def test_the_table_over_seeds_is_shown_if_there_is_one(flown: tuple[Path, str], tmp_path: Path) -> None:
    assert read_seeds(tmp_path / "seeds.json") is None
    rows = [
        {"scenario": "calm", "seed": s, "applications_per_month": 2000, "neglect": 1e6, "care": c, "oracle": 4e6}
        for s, c in enumerate((1.5e6, 3.0e6, 0.9e6))
    ]
    write_json(tmp_path / "seeds.json", {"code": "another", "rows": rows})
    assert read_seeds(tmp_path / "seeds.json") is None
    write_json(tmp_path / "seeds.json", {"code": flight_code(), "rows": rows})
    seeds = read_seeds(tmp_path / "seeds.json")
    said = " ".join(
        Page(write_report(*logs(flown[0]), load_scenario("stormy"), tmp_path / "r", seeds).read_text()).words
    )
    assert "mean of 3 seeds, 2,000 applications a month" in said
    assert "calm 1,000 1,800 4,000 800 -100 to 2,000 2 of 3" in re.sub(r"\s+", " ", said)


def test_a_description_cannot_become_html(flown: tuple[Path, str], tmp_path: Path) -> None:
    scenario = load_scenario("stormy").model_copy(update={"description": "<script>alert(1)</script>"})
    assert not Page(write_report(*logs(flown[0]), scenario, tmp_path / "r").read_text()).of("script")


def test_only_flights_of_one_world_and_length_are_compared(flown: tuple[Path, str], tmp_path: Path) -> None:
    care, neglect = logs(flown[0])
    shorter = FlightLog(neglect.folder, neglect.seed, neglect.scenario, neglect.policy, neglect.months[:3])
    empty = FlightLog(care.folder, care.seed, care.scenario, care.policy, [])
    for one, other in ((care, shorter), (empty, empty)):
        with pytest.raises(ValueError, match="one seed, scenario and length"):
            write_report(one, other, load_scenario("stormy"), tmp_path / "r")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_it_leaves_no_process_and_goes_on_where_it_was(flown: tuple[Path, str], tmp_path: Path) -> None:
    command = [*COMMAND, str(tmp_path), "--months", str(MONTHS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        line = first.stdout.readline()
        first.send_signal(signal.SIGKILL)
        first.wait(60)
    deadline = time.monotonic() + 60
    for policy in ("care", "neglect"):
        while True:
            try:
                folder_lock(tmp_path / policy).release()
                break
            except PipelineBusyError:
                assert time.monotonic() < deadline, "a worker outlives its killed parent"
                time.sleep(0.05)
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert " ".join(line.split()[:3]) not in {" ".join(told.split()[:3]) for told in done.stdout.splitlines()}
    assert (tmp_path / "report.html").read_bytes() == (flown[0] / "report.html").read_bytes()


def test_a_flight_of_other_code_is_flown_again_and_the_same_is_kept(tmp_path: Path) -> None:
    world = World(1, "calm")
    fly(world, NEGLECT, tmp_path, months=0)
    (tmp_path / "months").mkdir()
    (tmp_path / "months" / "month=+000.json").write_text("{}")
    forget_other(world, NEGLECT, tmp_path)
    assert (tmp_path / "months" / "month=+000.json").exists()
    forget_other(world, CARE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_month_in_a_line(flown: tuple[Path, str]) -> None:
    care, _ = logs(flown[0])
    assert re.fullmatch(
        r"care     month  3  profit +[+-][\d,]+ k EUR of +\d+  feed: income: .*", progress("care", care.months[3])
    )


def test_an_unknown_scenario_is_a_clear_error(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, tmp_path, "--scenario", "sunny"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "error: no scenario file" in done.stderr
    assert "stormy" in done.stderr
