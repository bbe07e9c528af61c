"""The generated reports: what stands in them is what the records say, and what no record says is red, not a crash."""

import json
import re
import shutil
import zlib
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oakbank.deploy.gate import enough_rows, promote
from oakbank.governance import reports
from oakbank.governance.audit import AuditLog
from oakbank.governance.duties import DutyError, missing_evidence, read_duties, repository
from oakbank.governance.entries import Draft
from oakbank.governance.fairness import judge
from oakbank.governance.merkle import TreeHead
from oakbank.governance.reports.document import Document, Figure, Missing, Section, Table, Text
from oakbank.governance.reports.technical_file import DUTY, read_annex
from oakbank.governance.roles import Person, Staff, record, sign
from oakbank.governance.tracked import TrackedBank
from oakbank.world import World, publish_history, publish_outcomes

AUTHOR, OFFICER, OPERATOR = "Łucja Żak", "Σοφία <script>alert(1)</script>", "Нина"
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n, name in enumerate((AUTHOR, OFFICER, OPERATOR))
}
STAFF = {
    name: Person(role, KEYS[name].public_key())
    for name, role in ((AUTHOR, "developer"), (OFFICER, "risk officer"), (OPERATOR, "operator"))
}
JANUARY, FEBRUARY, BINDING = date(2024, 1, 31), date(2024, 2, 29), date(2027, 12, 2)
NAMES = ["model-card.html", "model-card.pdf", "technical-file.html", "technical-file.pdf"]


def say(folder: Path, kind: str, who: str, month: int, version: str) -> None:
    draft = Draft(kind, who, month, f"{kind}-{version}", {"version": version})
    record(AuditLog(folder / "audit.jsonl"), sign(draft, KEYS[who]), STAFF)


def card_of(folder: Path, staff: Staff | None = STAFF, head: TreeHead | None = None) -> Document:
    return reports.model_card(reports.Records(folder, FEBRUARY, staff, head))


def month_of_business(world: World, bank: TrackedBank, month: int) -> str:
    """Train, sign, promote, decide; return the version."""
    run = bank.train(month)
    assert run.version is not None
    bank.registry.set_tag(run.version, "author", AUTHOR)
    say(bank.folder, "train", AUTHOR, month, run.version)
    assert promote(bank.registry, run, [enough_rows()], OFFICER).promoted
    say(bank.folder, "promote", OFFICER, month, run.version)
    bank.lake.write("applications", month, world.applications(month))
    bank.decide(month, run.version)
    publish_outcomes(world, bank.lake, month)
    return run.version


@dataclass(frozen=True)
class Written:
    """Two months of a bank, each with a model of its own, and the reports of each as they were made in that month."""

    bank: TrackedBank
    early: reports.Report
    late: reports.Report
    records: reports.Records
    """As of February."""

    def read(self, name: str) -> bytes:
        """Return a file of the report as of February."""
        return self.late.paths[NAMES.index(name)].read_bytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("reports")
    world, bank = World(seed=3, scenario="calm"), TrackedBank(folder / "bank")
    publish_history(world, bank.lake)
    made = []
    for month, day in enumerate((JANUARY, FEBRUARY)):
        month_of_business(world, bank, month)
        head = AuditLog(bank.folder / "audit.jsonl").tree_head()
        made.append(reports.report(bank.folder, day, folder / str(month), staff=STAFF, head=head))
    early, late = made
    return Written(bank, early, late, reports.Records(bank.folder, FEBRUARY, STAFF))


@pytest.fixture
def copy(written: "Written", tmp_path: Path) -> Path:
    """The bank's records, to be damaged."""
    return Path(shutil.copytree(written.bank.folder, tmp_path / "bank"))


class Words(HTMLParser):
    """The text of a page, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_text(page: str) -> str:
    return squeezed("".join(Words(page).texts))


def pdf_streams(content: bytes) -> list[bytes]:
    """Return what is drawn on the pages."""
    found = re.findall(rb"/Filter /FlateDecode\n/Length \d+\n>>\nstream\n(.*?)\nendstream", content, re.DOTALL)
    return [stream for stream in map(zlib.decompress, found) if b" Tj" in stream]


def pdf_text(content: bytes) -> str:
    """Return what a reader of the PDF can search and copy: letters by the fonts' own tables (checked with pypdf)."""
    streams = pdf_streams(content)
    tables = [
        {int(code, 16): chr(int(letter, 16)) for code, letter in re.findall(rb"<(\w{4})> <(\w{4})>", stream)}
        for stream in re.findall(rb"beginbfchar(.*?)endbfchar", content, re.DOTALL)
    ]
    said, table = [], tables[0]
    for font, text in re.findall(rb"/F(\d) [\d.]+ Tf|\((.*?(?<!\\)(?:\\\\)*)\) Tj", b"\n".join(streams), re.DOTALL):
        if font:
            table = tables[int(font) - 1]
        plain = re.sub(
            rb"\\(.)", lambda found: {b"n": b"\n", b"r": b"\r"}.get(found[1], found[1]), text, flags=re.DOTALL
        )
        said += [table[plain[at] * 256 + plain[at + 1]] for at in range(0, len(plain), 2)]
    return squeezed("".join(said))


def squeezed(text: str) -> str:
    """Line breaks are the page's own: compare without white space."""
    return "".join(text.split())


def said_by(document: Document) -> list[str]:
    """Return all that a document says, piece by piece."""
    found = [document.title, document.warning, document.summary]
    for section in document.sections:
        found.append(section.title)
        for block in section.blocks:
            match block:
                case Text(text):
                    found.append(text)
                case Missing(what):
                    found.append(what)
                case Figure():
                    found.append(block.caption)
                case Table():
                    found += [block.caption, *block.head, *(cell for row in block.rows for cell in row)]
    return found


def test_the_card_says_what_the_records_say(written: Written) -> None:
    """Evidence for duties: what it is, how good, for whom, who signed; each number against its record."""
    bank = written.bank
    assert [path.name for path in written.late.paths] == NAMES
    tags, metrics = bank.registry.tags("2"), bank.registry.metrics("2")
    decided = bank.lake.read("decisions", [1]).merge(bank.lake.read("applications", [1])[["application_id", "group"]])
    door = judge(decided["granted"], decided["group"].astype(str)).disparity
    assessment = json.loads((bank.folder / "runs/1/assess/assessment.json").read_text())
    low, high = assessment["ranking"]["interval"]
    wanted = [
        *(tags[name] for name in ("model_hash", "data_hash", "code_hash", "approver")),
        bank.registry.run_id("2"),
        AUTHOR,
        f"{metrics['auc']:.3f}, 95 % interval {low:.3f} to {high:.3f}",
        f"{metrics['rows']:,.0f}",
        f"{metrics['profit']:,.0f}",
        *(f"{metrics[f'approval_rate_{group}']:.1%}" for group in "AB"),
        *(f"{rate.rate:.1%}{rate.low:.1%} to {rate.high:.1%}" for rate in door.rates.values()),
        f"{door.ratio:.3f} ({door.ratio_interval[0]:.2f} to {door.ratio_interval[1]:.2f})",
        f"the {int((~decided['granted']).sum()):,} applications that the model declined in month 1",
        json.loads(tags["gates"])[-1]["detail"],
        AuditLog(bank.folder / "audit.jsonl").tree_head().root,
    ]
    page, paper = page_text(written.read("model-card.html").decode()), pdf_text(written.read("model-card.pdf"))
    for text in map(squeezed, wanted):
        assert text in page
        assert text in paper


def test_page_and_pdf_say_the_same(written: Written) -> None:
    for document, name in ((written.late.card, "model-card"), (written.late.file, "technical-file")):
        page, paper = written.read(f"{name}.html").decode(), written.read(f"{name}.pdf")
        in_page, in_paper = page_text(page), pdf_text(paper)
        assert in_page.count("Notlegaladvice,asof2024-02-29.") == 1
        assert page.index("Not legal advice, as of 2024-02-29.") < page.index("<h2>")
        assert [text for text in map(squeezed, said_by(document)) if text not in in_page or text not in in_paper] == []
        pictures = sum(isinstance(block, Figure) for section in document.sections for block in section.blocks)
        assert Words(page).tags.count("img") == paper.count(b"/Subtype /Image") == pictures == 3


def test_the_technical_file_has_the_nine_parts_in_their_order(written: Written) -> None:
    """Evidence for a duty; the order is Annex IV's, each part with the records that it asks for."""
    document = written.late.file
    titles = [section.title for section in document.sections[1:]]
    assert titles == [f"{number}. {part.title}" for number, part in enumerate(read_annex(), 1)]
    words = ["general", "developed", "control", "measures", "risk", "changes", "standards", "declaration", "after"]
    assert all(word in title.lower() for word, title in zip(words, titles, strict=True))
    captions = [{one.caption for one in part.blocks if isinstance(one, Table)} for part in document.sections]
    assert "Software stored with the model" in captions[1]
    assert {"Settings of the training run, from MLflow", "What these were made from, from the lineage"} <= captions[2]
    assert {"What the model reads of an application", "Approved, by group"} <= captions[3]
    assert "Changes until this day, from the audit log" in captions[6]
    assert "Decisions of this version until this day, from the lake" in captions[9]
    asked = [part.items for part in read_annex()]
    assert all(items for items in asked)
    lost = [gone for items in asked for one in items for gone in missing_evidence(one.evidence, repository())]
    assert [gone for gone in lost if "::" in gone] == [], "a test was renamed or removed: correct annex_iv.yml"


def red_fills(content: bytes) -> int:
    return sum(stream.count(b"0.9843 0.8353 0.8353 rg") for stream in pdf_streams(content))


def test_what_has_no_evidence_is_red(written: Written, tmp_path: Path) -> None:
    """Evidence for a duty: parts 5, 7 and 8 have none in this repository; elsewhere no part has any."""
    here = written.late.file
    gaps = {section.title[:2]: section.gaps for section in here.sections}
    assert [gaps[part] for part in ("5.", "7.", "8.")] == [1, 1, 1]
    assert gaps["4."] == gaps["6."] == 0
    there = reports.technical_file(written.records, read_duties(), tmp_path)
    assert all(section.gaps for section in there.sections[1:])
    for document in (here, there):
        total = sum(section.gaps for section in document.sections)
        assert reports.html(document).count('class="red"') == total + 1, "each gap and the summary, and nothing else"
        assert red_fills(reports.pdf(document)) > total
    calm = Document("calm", FEBRUARY, (Section("1", (Text("good"), Table("t", ("a",), (("b",),)))),))
    assert (calm.summary, red_fills(reports.pdf(calm)), 'class="red"' in reports.html(calm)) == ("No gaps.", 0, False)
    row = Section("1", (Table("t", ("a",), (("b",), ("c",), ("d",)), frozenset({1})),))
    found = red_fills(reports.pdf(replace(calm, sections=(row,))))
    assert found == 1 + 2, "the summary, and one row of three, whose colour is set for the cell and for its text"


def test_made_again_later_it_is_the_same_bytes(written: Written, tmp_path: Path) -> None:
    """In between the bank trained, promoted and decided another month; and it moved to another place."""
    moved = Path(shutil.copytree(written.bank.folder, tmp_path / "moved"))
    kept = reports.Records(moved, JANUARY).tree_head()
    again = reports.report(moved, JANUARY, tmp_path / "again", staff=STAFF, head=kept)
    for then, now, late in zip(written.early.paths, again.paths, written.late.paths, strict=True):
        assert now.read_bytes() == then.read_bytes() != late.read_bytes()


def test_the_day_decides_which_model_it_is(copy: Path) -> None:
    assert reports.Records(copy, JANUARY).deployed.version == "1"
    assert reports.Records(copy, FEBRUARY).deployed.version == "2"
    say(copy, "rollback", OPERATOR, 2, "2")
    assert reports.Records(copy, FEBRUARY).deployed.version == "2"
    assert reports.Records(copy, date(2024, 3, 1)).deployed.version == "1"
    card = reports.model_card(reports.Records(copy, date(2023, 12, 31)))
    for text in (page_text(reports.html(card)), pdf_text(reports.pdf(card))):
        assert squeezed("MISSING: no model decided on 2023-12-31") in text


def test_the_law_asks_from_its_day_on(tmp_path: Path) -> None:
    for day, word in ((FEBRUARY, "Not on this day"), (BINDING, "Yes, since 2027-12-02")):
        records = reports.Records(tmp_path, day)  # where nothing is
        (told,) = reports.technical_file(records, read_duties(), repository()).sections[0].blocks
        assert isinstance(told, Text)
        assert told.text.startswith(word)
    others = tuple(duty for duty in read_duties() if duty.id != DUTY)
    with pytest.raises(DutyError, match="add it to duties"):
        reports.technical_file(records, others, repository())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("audit.jsonl", "there is no audit log"),
        ("events.jsonl", "there is no lineage"),
        ("registry", "no model registry in"),
        ("lake/decisions", "the lake has no decision of version 2"),
        ("lake/applications/month=+001.parquet", "month=+001.parquet"),
        ("runs/1/assess/assessment.json", "has no validation report with the content that the lineage names"),
    ],
)
def test_a_record_that_is_gone_is_red_and_the_rest_is_there(copy: Path, damage: str, message: str) -> None:
    lost = copy / damage
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    card = card_of(copy)
    assert any(message in block.what for one in card.sections for block in one.blocks if isinstance(block, Missing))
    assert len(card.sections) == 8
    assert all(section.blocks for section in card.sections)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("audit.jsonl", "the audit log does not hold, so nothing is quoted from it: entry 0 was changed"),
        ("runs/1/assess/assessment.json", "has no validation report with the content that the lineage names"),
        ("registry/mlflow.db", "cannot be read as a registry: file is not a database"),
        ("events.jsonl", "is no OpenLineage event"),
    ],
)
def test_a_record_that_was_changed_is_not_quoted(copy: Path, file: str, message: str) -> None:
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(
        b"garbage" * 600 if file.endswith((".db", "events.jsonl")) else content.replace(b"1", b"2", 1)
    )
    assert message in str(said_by(card_of(copy)))


def test_a_model_whose_file_is_gone_is_red(written: Written) -> None:
    """In place: MLflow names the folder by its whole path."""
    stored = written.bank.registry.folder / "artifacts"
    away = stored.rename(stored.with_name("away"))
    try:
        records = reports.Records(written.bank.folder, FEBRUARY, STAFF)
        told = said_by(reports.model_card(records))
        told += said_by(reports.technical_file(records, read_duties(), repository()))
    finally:
        away.rename(stored)
    assert "the stored model is gone or not the one registered" in str(told)
    assert "version 2 has no requirements.txt beside it in MLflow" in told


def test_signatures_and_a_kept_head_are_checked(written: Written, copy: Path) -> None:
    impostor = STAFF | {OFFICER: Person("risk officer", KEYS[AUTHOR].public_key())}
    assert [cell for cell in said_by(card_of(copy, impostor)) if cell.startswith("NOT VALID")]
    assert "valid" in said_by(written.late.card)
    unchecked = said_by(card_of(copy, None))
    assert "signatures were not checked: give `staff`, the list of who may sign" in unchecked
    assert "valid" not in unchecked
    log = copy / "audit.jsonl"
    head = AuditLog(log).tree_head()
    log.write_bytes(b"".join(log.read_bytes().splitlines(True)[:2]))
    assert "the log was cut short" in str(said_by(card_of(copy, head=head)))


def test_text_from_records_stays_text(written: Written) -> None:
    page = written.read("model-card.html").decode()
    assert "script" not in Words(page).tags
    assert squeezed(OFFICER) in page_text(page)
    assert squeezed(OFFICER) in pdf_text(written.read("model-card.pdf"))
    odd = Document("<b>", FEBRUARY, (Section("Łódź\nنور 张 🏦", (Missing("<i>\x00\x07 & Ω"),)),))
    assert "<b>" not in reports.html(odd)
    paper = pdf_text(reports.pdf(odd))
    assert "Łódź" in paper
    assert set("نور") <= set(paper)
    assert "U+5F20U+1F3E6" in paper, "letters that the font lacks are named"
    assert "U+0000" in paper


def test_files_are_whole_or_as_they_were(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in written.early.paths:
        shutil.copy(path, tmp_path)

    def full(document: Document) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reports, "pdf", full)
    with pytest.raises(OSError, match="No space"):
        reports.report(written.bank.folder, FEBRUARY, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(NAMES)
    assert all((tmp_path / path.name).read_bytes() == path.read_bytes() for path in written.early.paths)
    with pytest.raises(reports.RecordError, match="give the one with"):
        reports.report(tmp_path / "nowhere", FEBRUARY, tmp_path)
