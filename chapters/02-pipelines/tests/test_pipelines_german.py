"""The real data set: the same features, model and steps reach what is known of it, and other files are refused."""

import io
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold

from oakbank.pipelines import CreditModel, TrainingConfig, feature_matrix, run_training
from oakbank.pipelines.german import _CODES, _COLUMNS, _NUMERIC, GERMAN, GERMAN_PARAMS, GermanFile, load_german
from oakbank.pipelines.table_spec import SourceError

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "german.data"
needs_data = pytest.mark.skipif(
    not DATA.is_file(), reason="no copy of UCI's german.data in ../shared/data beside the repository"
)
LINES = """\
A11 6 A34 A43 1169 A65 A75 4 A93 A101 4 A121 67 A143 A152 2 A173 1 A192 A201 1
A12 48 A32 A43 5951 A61 A73 2 A92 A101 2 A121 22 A143 A152 1 A173 1 A191 A201 2
A14 12 A34 A46 2096 A61 A74 2 A93 A101 3 A121 49 A143 A152 1 A172 2 A191 A201 1
"""


def write(folder: Path, lines: str) -> Path:
    path = folder / "german.data"
    path.write_text(lines)
    return path


@needs_data
def test_the_real_data_are_a_thousand_applicants_of_whom_three_hundred_default() -> None:
    frame = load_german(DATA, bad=0)  # this copy: 700 ones are good, 300 zeros bad
    assert (len(frame), int(frame["defaulted"].sum())) == (1_000, 300)
    assert (frame["group"].value_counts().to_dict(), frame["month"].nunique()) == ({"male": 690, "female": 310}, 1)
    matrix = feature_matrix(frame, GERMAN)
    assert matrix.shape == (1_000, len(GERMAN.feature_names))
    one_hot = pd.DataFrame(matrix, columns=list(GERMAN.feature_names))
    for column in GERMAN.categories:  # each applicant has one value of each category
        assert (one_hot.filter(regex=f"^{column}_").sum(axis=1) == 1).all()


@needs_data
def test_the_pipeline_reaches_the_known_auc_of_the_real_data() -> None:
    frame = load_german(DATA, bad=0)  # this copy: 700 ones are good, 300 zeros bad
    matrix, outcome = feature_matrix(frame, GERMAN), frame["defaulted"].to_numpy()
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=5, random_state=0).split(matrix, outcome)
    scores = []
    for known, new in folds:
        model = CreditModel.fit(matrix[known], outcome[known], spec=GERMAN, params=GERMAN_PARAMS)
        scores.append(roc_auc_score(outcome[new], model.predict_matrix(matrix[new])))
    assert len(scores) == 25
    assert 0.75 < np.mean(scores) < 0.80


@needs_data
def test_run_training_takes_the_real_data_with_params_for_its_size(tmp_path: Path) -> None:
    source = GermanFile(DATA, bad=0)
    run = run_training(TrainingConfig(), source, tmp_path / "run")
    assert run.config.params == GERMAN_PARAMS
    assert run.model().spec is GERMAN
    assert (run.evaluation.rows, len(run.holdout())) == (200, 200)
    assert 0.70 < run.evaluation.auc < 0.85
    assert set(run.evaluation.approval_by_group) == {"female", "male"}
    own = run_training(TrainingConfig(params={"num_leaves": 3}), source, tmp_path / "run")
    assert own.config.params == {"num_leaves": 3}
    assert own.ran == ("train", "evaluate", "assess")


def test_a_changed_file_under_the_same_name_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, LINES * 40)
    config = TrainingConfig(rounds=2)
    assert run_training(config, path, tmp_path / "run").ran[0] == "ingest"
    assert run_training(config, path, tmp_path / "run").ran == ()
    write(tmp_path, LINES * 41)
    assert run_training(config, path, tmp_path / "run").ran[0] == "ingest"
    moved = path.rename(tmp_path / "elsewhere.data")
    assert run_training(config, moved, tmp_path / "run").ran == ()


def test_a_bad_loan_is_2_and_where_no_row_has_2_it_must_be_said(tmp_path: Path) -> None:
    """public/22-german-with-1-for-bad: copies with 0 and 1 were read as if 0 were always the bad loan."""
    assert load_german(write(tmp_path, LINES))["defaulted"].tolist() == [False, True, False]
    path = write(tmp_path, LINES.replace(" A201 2", " A201 0"))
    with pytest.raises(SourceError, match=r"no row has label 2 .*bad=0.* or bad=1"):
        load_german(path)
    with pytest.raises(SourceError, match="no row has label 2"):
        run_training(TrainingConfig(), path, tmp_path / "run")
    assert load_german(path, bad=0)["defaulted"].tolist() == [False, True, False]
    assert load_german(path, bad=1)["defaulted"].tolist() == [True, False, True]
    with pytest.raises(SourceError, match="bad=2, but the labels are 0 and 1"):
        load_german(path, bad=2)
    with pytest.raises(SourceError, match="no row has label 2"):
        load_german(write(tmp_path, LINES.splitlines()[0]))


@pytest.mark.parametrize("term", ["40000", "-6", "0", "6.5", "inf", "1e300"])
def test_a_number_out_of_range_is_refused_with_row_and_column(tmp_path: Path, term: str) -> None:
    """public/22-german-with-1-for-bad: a term of 40000 months became -25536."""
    path = write(tmp_path, LINES.replace("A12 48 ", f"A12 {term} "))
    with pytest.raises(SourceError, match=r"row 2, column duration: .*a whole number from 1 to 120"):
        load_german(path)


def test_sex_is_kept_for_audits_only(tmp_path: Path) -> None:
    frame = load_german(write(tmp_path, LINES))
    assert frame["group"].tolist() == ["male", "female", "male"]
    changed = frame.assign(group="female", personal_status="A92")
    assert feature_matrix(changed, GERMAN).tobytes() == feature_matrix(frame, GERMAN).tobytes()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "want 21 columns"),
        ("a,b,c\n1,2,3\n", "want 21 columns"),
        (LINES + "A11 6 A34\n", "want 21 columns"),
        (LINES + LINES.splitlines()[0] + " 5\n", "want 21 columns"),
        (LINES[:-40], "want 21 columns"),
        (LINES.replace(" A201 2", " A201 3"), "row 2, column label: '3'; wanted: 1 or 2"),
        (LINES.replace("A11 ", "A19 "), "row 1, column checking_status: 'A19'"),
        (LINES.replace(" 1169 ", " much "), "row 1, column credit_amount: 'much'; wanted: a whole number"),
    ],
)
def test_what_is_not_german_data_is_refused(tmp_path: Path, lines: str, said: str) -> None:
    path = write(tmp_path, lines)
    with pytest.raises(SourceError, match=said) as error:
        load_german(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    for source in (tmp_path / "absent.data", tmp_path):  # a folder is a likely slip: that of a lake
        with pytest.raises(SourceError, match=r"no file .*german\.data"):
            load_german(source)
        with pytest.raises(SourceError, match="come as a Lake"):
            run_training(TrainingConfig(), source, tmp_path / "run")


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "german.data").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe" * 50)
    with pytest.raises(SourceError, match="want 21 columns"):
        load_german(tmp_path / "german.data")


def like_openml(quote: str) -> pd.DataFrame:
    """The rows of LINES as OpenML's credit-g tells them."""
    names = {
        "A11": "<0", "A12": "0<=X<200", "A14": "no checking", "A34": "critical/other existing credit",
        "A32": "existing paid", "A43": "radio/tv", "A46": "education", "A65": "no known savings", "A61": "<100",
        "A75": ">=7", "A73": "1<=X<4", "A74": "4<=X<7", "A93": "male single", "A92": "female div/dep/mar",
        "A101": "none", "A121": "real estate", "A143": "none", "A152": "own", "A173": "skilled",
        "A172": "unskilled resident", "A192": "yes", "A191": "none", "A201": "yes",
    }  # fmt: skip
    frame = pd.read_csv(io.StringIO(LINES), sep=" ", header=None, names=[*_COLUMNS, "class"])
    for column in _COLUMNS:
        if column not in _NUMERIC:
            values = frame[column].map(lambda code: quote + names[code] + quote if quote else names[code])
            frame[column] = values.astype("category")
    frame["class"] = frame["class"].map({1: "good", 2: "bad"}).astype("category")
    return frame


def answer(frame: pd.DataFrame) -> Any:
    def fetch_openml(name: str, **settings: Any) -> SimpleNamespace:
        assert (name, settings["version"], settings["as_frame"]) == ("credit-g", 1, True)
        return SimpleNamespace(frame=frame)

    return fetch_openml


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_openml_and_uci_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quote: str) -> None:
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", answer(like_openml(quote)))
    pd.testing.assert_frame_equal(load_german(None), load_german(write(tmp_path, LINES)), check_column_type=False)


def test_every_value_of_openml_has_a_code_of_its_own() -> None:
    for codes in _CODES.values():
        assert len(set(codes.values())) == len(codes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"checking_status": "overdrawn"}, "row 1, column checking_status: 'overdrawn'"),
        ({"class": "ugly"}, "class has unknown values.*ugly"),
        ({"job": None}, "has no column job"),
    ],
)
def test_another_answer_of_openml_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str | None], said: str
) -> None:
    frame = like_openml("")
    for column, value in change.items():
        frame = frame.drop(columns=column) if value is None else frame.assign(**{column: value})
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", answer(frame))
    with pytest.raises(SourceError, match=said):
        load_german(None)


def test_offline_openml_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    with pytest.raises(SourceError, match=r"cannot be fetched from OpenML .*give the path of a copy of UCI's"):
        load_german(None)
    with pytest.raises(SourceError, match="cannot be fetched from OpenML"):
        run_training(TrainingConfig(), None, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
