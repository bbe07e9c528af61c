"""Each attack succeeds on what is unprotected, and fails on what is mended."""

import hashlib
import io
import json
import pickle
import shutil
import subprocess
from pathlib import Path
from typing import Any

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from fickling.exception import UnsafeFileError
from fickling.ml import FicklingMLUnpickler
from model_signing import hashing, signing, verifying
from picklescan.scanner import scan_file_path
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from authoring.repository import ROOT
from course.lesson import own_git
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.scale.security.poison import Broker
from oakbank.scale.security.provenance import check_reports, slices_hold
from oakbank.scale.supply.action import Action
from oakbank.scale.supply.admission import REQUIRED, Check, admit, labels_checked, write_release
from oakbank.scale.supply.loading import LOGISTIC, RefusedError, load_model
from oakbank.scale.supply.marker import MARKER, attempt
from oakbank.scale.supply.pins import movable
from oakbank.scale.supply.signing import SignatureError, sign_release, signed_files, verify_release, write_keys
from oakbank.world import World

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20) > 9


class Note:
    """Beside a model in a pickle: it writes the marker when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return np.savetxt, (MARKER, [1])


class savetxt:  # skops writes down the name of a type, and this is the function's
    __module__ = "numpy"

    def __reduce__(self) -> tuple[Any, ...]:
        return savetxt, (MARKER, [1])


def honest() -> LogisticRegression:
    return LogisticRegression().fit(X, Y)


def noted(note: object) -> LogisticRegression:
    model = honest()
    model.note = note
    return model


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    """A folder of MLflow with a model in skops that writes the marker, and says itself that it may."""
    folder = tmp_path / "vendor"
    mlflow.sklearn.save_model(honest(), folder, conda_env={"dependencies": ["python"]})
    skops.io.dump(noted(savetxt()), folder / "model.skops")
    about = yaml.safe_load((folder / "MLmodel").read_text())
    about["flavors"]["sklearn"]["skops_trusted_types"] = ["numpy.savetxt"]
    (folder / "MLmodel").write_text(yaml.safe_dump(about))
    return folder


def write(name: str, thing: object) -> Path:
    Path(name).write_bytes(pickle.dumps(thing))
    return Path(name)


def test_a_pickle_acts_and_a_scanner_finds_no_issue() -> None:
    path = write("vendor.pkl", noted(Note()))
    assert scan_file_path(path).issues_count == scan_file_path(write("honest.pkl", honest())).issues_count == 0
    assert attempt(lambda: pickle.loads(path.read_bytes()))


def test_a_list_of_the_loader_keeps_it_out_and_lets_the_honest_one_in() -> None:
    path = write("vendor.pkl", noted(Note()))
    assert not attempt(lambda: load_model(path, LOGISTIC))
    with pytest.raises(RefusedError, match=r"numpy\.savetxt is not on the list"):
        load_model(path, LOGISTIC)
    model = load_model(write("honest.pkl", honest()), LOGISTIC)
    assert (model.predict(X) == honest().predict(X)).all()
    with pytest.raises(RefusedError, match="LogisticRegression is not on the list"):
        load_model(Path("honest.pkl"))


def test_a_name_with_a_dot_is_no_way_around_the_list() -> None:
    # A name with dots walks through attributes to what no list names.
    chain = b"\x80\x04\x8c\x05numpy\x8c\x07ma.core\x93."
    assert pickle.loads(chain) is np.ma.core
    Path("chain.pkl").write_bytes(chain)
    with pytest.raises(RefusedError, match="not on the list"):
        load_model(Path("chain.pkl"), {"numpy.ma.core"})


def test_what_fickling_allows_once_it_allows_to_everybody() -> None:
    """Why Oakbank has a list of its own: Fickling 0.1.12 adds to the one list of the process."""
    told = pickle.dumps(np.int64(1))
    with pytest.raises(UnsafeFileError):
        FicklingMLUnpickler(io.BytesIO(told)).load()
    FicklingMLUnpickler(io.BytesIO(told), also_allow=["numpy._core.multiarray.scalar"]).load()
    assert FicklingMLUnpickler(io.BytesIO(told)).load() == 1
    Path("scalar.pkl").write_bytes(told)
    with pytest.raises(RefusedError, match="scalar is not on the list"):
        load_model(Path("scalar.pkl"), LOGISTIC)


def test_a_model_that_brings_its_own_permission_acts_in_mlflow_and_not_here(vendor: Path) -> None:
    assert attempt(lambda: mlflow.sklearn.load_model(vendor))
    assert not attempt(lambda: load_model(vendor))
    with pytest.raises(RefusedError, match=r"numpy\.savetxt"):
        load_model(vendor, ["sklearn.linear_model._logistic.LogisticRegression"])
    assert attempt(lambda: load_model(vendor, ["numpy.savetxt"]))  # who allows it gets it


def test_an_honest_folder_of_mlflow_is_loaded(vendor: Path) -> None:
    skops.io.dump(honest(), vendor / "model.skops")
    assert (load_model(vendor).predict(X) == honest().predict(X)).all()


def test_a_function_in_a_type_that_skops_trusts_is_refused() -> None:
    skops.io.dump(FunctionTransformer(np.savetxt), "step.skops")
    with pytest.raises(RefusedError, match="savetxt"):
        load_model(Path("step.skops"))


@pytest.mark.parametrize("named", ["../secret.skops", "/etc/hostname", 7, None])
def test_the_file_of_a_folder_lies_in_it(vendor: Path, named: object) -> None:
    skops.io.dump(honest(), vendor.parent / "secret.skops")
    about = yaml.safe_load((vendor / "MLmodel").read_text())
    about["flavors"]["sklearn"]["pickled_model"] = named
    (vendor / "MLmodel").write_text(yaml.safe_dump(about))
    with pytest.raises(RefusedError, match=r"not in that folder|no model at"):
        load_model(vendor)


@pytest.mark.parametrize("text", ["", "a: [", "flavors: {}", "flavors: {sklearn: }", "\0"])
def test_a_folder_without_a_model_of_scikit_learn_says_what_to_do(vendor: Path, text: str) -> None:
    (vendor / "MLmodel").write_text(text)
    with pytest.raises(RefusedError, match=r"mlflow\.sklearn"):
        load_model(vendor)
    (vendor / "MLmodel").unlink()
    with pytest.raises(RefusedError, match=r"mlflow\.sklearn"):
        load_model(vendor)


def test_a_damaged_file_is_refused_wherever_the_damage_is() -> None:
    whole = {".pkl": pickle.dumps(honest()), ".skops": skops.io.dumps(honest())}
    for suffix, content in whole.items():
        for size in range(0, len(content), 97):
            path = Path(f"cut{suffix}")
            path.write_bytes(content[:size])
            with pytest.raises(RefusedError, match="damaged"):
                load_model(path, LOGISTIC)


def test_other_formats_other_files_and_missing_ones_are_refused() -> None:
    Path("model.joblib").write_bytes(b"")
    for path, says in (("model.joblib", "saved as .skops"), ("none.skops", "no model at"), ("model", "no model at")):
        with pytest.raises(RefusedError, match=says):
            load_model(Path(path))
    path = write("honest.pkl", honest())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load_model(path, LOGISTIC, digest).coef_.shape == (1, 2)
    with pytest.raises(RefusedError, match="sha256 differs"):
        load_model(path, LOGISTIC, digest[::-1])


def test_an_attempt_says_what_refused_it_and_cleans_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert attempt(lambda: Path(MARKER).write_text("1"))
    assert not Path(MARKER).exists()
    assert not attempt(lambda: 1 / 0)
    assert capsys.readouterr().out == "ZeroDivisionError: division by zero\n"


class Poisoned:
    """A model of labels that a broker told, and one of labels from payments."""

    def __init__(self) -> None:
        world = World(1)
        months = [
            world.applications(m).assign(defaulted=world.truth(m)["would_default"].to_numpy()) for m in range(-6, 1)
        ]
        self.past, self.new = pd.concat(months[:-1]), months[-1]
        self.told = self.past.assign(defaulted=self.past["defaulted"] & ~Broker().hides(self.past))
        self.payments = self.past.set_index("application_id")["defaulted"]
        self.models = {
            name: CreditModel.fit(feature_matrix(rows), rows["defaulted"])
            for name, rows in {"honest": self.past, "poisoned": self.told}.items()
        }

    def release(self, name: str) -> Path:
        rows = self.told if name == "poisoned" else self.past
        checks = check_reports(rows, lambda ids: self.payments.loc[ids].to_numpy(), 60)
        write_release(Path(name), self.models[name], 0.2, "Scores applications.", checks)
        return Path(name)

    @property
    def gates(self) -> list[Check]:
        return [lambda model: slices_hold(model, self.new)]


@pytest.fixture(scope="module")
def poisoned() -> Poisoned:
    return Poisoned()


@pytest.fixture
def release(poisoned: Poisoned) -> Path:
    return poisoned.release("honest")


PRIVATE, PUBLIC, SIGNATURE = Path("bank.pem"), Path("bank.pem.pub"), Path("release.sig")


def signed(folder: Path) -> Path:
    if not PRIVATE.exists():
        assert write_keys(PRIVATE) == PUBLIC
    sign_release(folder, PRIVATE, SIGNATURE)
    return folder


def test_a_signed_release_verifies_and_its_digests_are_those_of_the_files(release: Path) -> None:
    covered = verify_release(signed(release), PUBLIC, SIGNATURE)
    assert covered == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in release.iterdir()}
    assert covered == signed_files(SIGNATURE)
    assert PRIVATE.stat().st_mode & 0o077 == 0
    shutil.copytree(release, "elsewhere")
    verify_release(Path("elsewhere"), PUBLIC, SIGNATURE)


def test_one_changed_byte_one_more_and_one_missing_file_are_found(release: Path) -> None:
    signed(release)
    model = (release / "model.txt").read_bytes()
    for changed in (model[:100] + bytes([model[100] ^ 1]) + model[101:], model[:-1], b""):
        (release / "model.txt").write_bytes(changed)
        with pytest.raises(SignatureError, match="Hash mismatch"):
            verify_release(release, PUBLIC, SIGNATURE)
    (release / "model.txt").write_bytes(model)
    (release / ".gitattributes").write_text("* filter=theirs")
    with pytest.raises(SignatureError, match="Extra files"):
        verify_release(release, PUBLIC, SIGNATURE)
    (release / ".gitattributes").unlink()
    (release / "card.md").unlink()
    with pytest.raises(SignatureError, match="Missing files"):
        verify_release(release, PUBLIC, SIGNATURE)


def test_a_threshold_outside_the_signature_can_be_changed_and_one_inside_cannot(release: Path) -> None:
    signed(release)
    key = {"private_key": PRIVATE}
    signing.Config().use_elliptic_key_signer(**key).sign(release / "model.txt", "model.sig")
    (release / "policy.json").write_text('{"largest_risk": 0.4}')
    verifying.Config().use_elliptic_key_verifier(public_key=PUBLIC).verify(release / "model.txt", "model.sig")
    with pytest.raises(SignatureError, match=r"policy\.json"):
        verify_release(release, PUBLIC, SIGNATURE)
    with pytest.raises(SignatureError, match="not what was signed"):
        verify_release(release, PUBLIC, Path("model.sig"))


def test_a_signature_that_leaves_a_file_out_is_believed_by_the_tool_and_not_here(release: Path) -> None:
    write_keys(PRIVATE)
    without = hashing.Config().set_ignored_paths(paths=["policy.json"])
    signer = signing.Config().use_elliptic_key_signer(private_key=PRIVATE).set_hashing_config(without)
    signer.sign(release, SIGNATURE)
    (release / "policy.json").write_text('{"largest_risk": 0.4}')
    verifying.Config().use_elliptic_key_verifier(public_key=PUBLIC).verify(release, SIGNATURE)
    with pytest.raises(SignatureError, match=r"policy\.json in .* is not covered"):
        verify_release(release, PUBLIC, SIGNATURE)


def test_another_key_no_signature_and_no_release_are_refused(release: Path) -> None:
    signed(release)
    write_keys(Path("thief.pem"))
    for public, signature in (("thief.pem.pub", SIGNATURE), (PUBLIC, "none"), (PUBLIC, PUBLIC), (SIGNATURE, SIGNATURE)):
        with pytest.raises(SignatureError, match="not what was signed"):
            verify_release(release, Path(public), Path(signature))
    with pytest.raises(SignatureError, match="no signature of model-signing"):
        signed_files(PUBLIC)
    with pytest.raises(SignatureError, match="move it away first"):
        write_keys(PRIVATE)
    with pytest.raises(SignatureError, match="cannot be signed"):
        sign_release(release, PUBLIC, SIGNATURE)
    with pytest.raises(SignatureError, match="beside"):
        sign_release(release, PRIVATE, release / "release.sig")
    (release / "card.md").unlink()
    with pytest.raises(SignatureError, match=r"lacks card\.md"):
        sign_release(release, PRIVATE, SIGNATURE)


def test_a_poisoned_release_is_signed_well_and_refused_by_what_the_signature_does_not_say(poisoned: Poisoned) -> None:
    for name, passed in (("honest", [True, True, True]), ("poisoned", [True, False, False])):
        answers = admit(signed(poisoned.release(name)), PUBLIC, SIGNATURE, poisoned.gates)
        assert [one.name for one in answers] == ["signed", "labels_checked", "slices_hold"]
        assert [one.passed for one in answers] == passed
    assert answers[1].detail == "broker reported falsely"


def test_what_is_not_signed_is_asked_nothing_more(release: Path, poisoned: Poisoned) -> None:
    signed(release)
    (release / "model.txt").write_bytes(b"tree")
    answers = admit(release, PUBLIC, SIGNATURE, poisoned.gates)
    assert [(one.name, one.passed) for one in answers] == [("signed", False)]
    answers = admit(signed(release), PUBLIC, SIGNATURE, poisoned.gates)  # signed, and no model
    assert [(one.name, one.passed) for one in answers][-1] == ("loads", False)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"reporters": {"app": {"reported": 900, "looked_up": 59, "false": 0}}}, "fewer than 60 labels of app"),
        ({"reporters": {"app": {"reported": 60, "looked_up": 60, "false": 1}}}, "app reported falsely"),
        ({"reporters": {"app": {"looked_up": 60, "false": 0}}}, "no record"),
        ({"reporters": {}}, "0 reporters"),
        ({"reporters": []}, "no record"),
        ([], "no record"),
    ],
)
def test_labels_that_nobody_looked_up_do_not_pass(record: object, says: str) -> None:
    Path("provenance.json").write_text(json.dumps(record))
    found = labels_checked(Path())
    assert not found.passed
    assert says in found.detail


def test_a_release_is_written_whole_into_a_folder_of_its_own(release: Path, poisoned: Poisoned) -> None:
    assert sorted(file.name for file in release.iterdir()) == sorted(REQUIRED)
    with pytest.raises(ValueError, match="has files already"):
        poisoned.release("honest")
    for risk in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            write_release(Path("new"), poisoned.models["honest"], risk, "", pd.DataFrame())


@pytest.fixture
def borrowed(tmp_path: Path) -> Action:
    return Action(tmp_path / "action", own_git(tmp_path, "2026-11-30T09:00:00Z"))


def test_a_moved_tag_runs_other_code_and_a_hash_does_not(borrowed: Action) -> None:
    commit = borrowed.commit("run.py", "print('scanned')")
    borrowed.git("tag", "v1")
    assert borrowed.run("v1") == borrowed.run(commit) == "scanned"
    borrowed.commit("run.py", "print('your token is sent')")
    borrowed.git("tag", "-f", "v1")
    assert borrowed.run("v1") == "your token is sent"
    assert borrowed.run(commit) == "scanned"
    assert movable(f"steps: [uses: a/scan@v1, uses: a/scan@{commit}]") == ["a/scan@v1"]


def test_movable_names_are_found_wherever_a_workflow_has_them() -> None:
    sha, digest = "0123456789abcdef" * 2 + "01234567", "sha256:" + "0" * 64
    workflow = f"""
on: push
jobs:
  fixed:
    uses: bank/ci/.github/workflows/test.yml@{sha}
    container: registry/image@{digest}
    steps: [uses: ./own, uses: "docker://registry/image@{digest}", uses: a/b/c@{sha}]
  moved:
    uses: bank/ci/.github/workflows/test.yml@main
    container: {{image: registry/image:1}}
    services: {{db: {{image: postgres}}}}
    steps:
      - uses: a/b@v1.2.3
      - uses: a/b@{sha[:-1]}
      - {{uses: a/b, with: {{image: text}}, env: {{image: text}}}}
      - uses: docker://registry/image:1
      - run: echo uses a/b@v1
"""
    assert movable(workflow) == [
        "bank/ci/.github/workflows/test.yml@main", "registry/image:1", "postgres", "a/b@v1.2.3", f"a/b@{sha[:-1]}",
        "a/b", "docker://registry/image:1",
    ]  # fmt: skip
    assert movable("") == []
    with pytest.raises(ValueError, match="no YAML"):
        movable("a: [")


def gitleaks(way: str, *words: str) -> int:
    return subprocess.run(["gitleaks", way, "action", *words], capture_output=True, check=False).returncode


def test_a_deleted_token_is_in_the_history_and_a_scanner_with_their_rules_is_blind(borrowed: Action) -> None:
    borrowed.commit("settings.py", f"TOKEN = 'ghp_{hashlib.sha256(b'oakbank').hexdigest()[:36]}'")
    borrowed.commit("settings.py", "TOKEN = None")
    assert (gitleaks("dir"), gitleaks("git")) == (0, 1)
    borrowed.commit(".gitleaks.toml", "title = 'no rules'")
    Path("bank.toml").write_text("[extend]\nuseDefault = true")
    assert (gitleaks("git"), gitleaks("git", "--config", "bank.toml")) == (0, 1)


def test_the_sbom_lists_what_the_lock_file_has() -> None:
    command = ["uv", "export", "--frozen", "--offline", "-q", "--format", "cyclonedx1.5"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    names = {part["name"] for part in json.loads(made.stdout)["components"]}
    assert {"picklescan", "fickling", "model-signing", "skops", "lightgbm"} <= names
