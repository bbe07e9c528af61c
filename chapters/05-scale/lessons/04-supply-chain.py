# %% [markdown]
# # 04 Supply chain
#
# ## You will
#
# - build a model file that acts when it is loaded, and show that a scanner reports no issue
# - load a stranger's model by a list of your own, whatever list the model brings
# - sign a release with its threshold and card, and say which questions the signature leaves open
# - find what can change under its name: a moved tag, and a history that still holds a deleted token
#
# ## You need
#
# Lessons 01/07, 03/05 and 05/03.
#
# ## Time
#
# 27 minutes to read, 10 seconds to run.
#
# ## The story so far
#
# Lesson 05/03 was about those who send rows. Now somebody sends files: a vendor a model, a stranger a step for our
# CI.

# %%
import json
import pickle
from hashlib import sha256
from pathlib import Path
from subprocess import PIPE, run

import mlflow.sklearn
import model_signing
import numpy as np
import pandas as pd
import skops.io
from fickling.ml import FicklingMLUnpickler
from picklescan.scanner import scan_file_path
from sklearn.linear_model import LogisticRegression

from course.lesson import ROOT, own_folder, own_git
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.scale.security import poison, provenance
from oakbank.scale.supply import action, admission, loading, marker, pins, signing
from oakbank.world import World

own_folder()
months = [(World(1).applications(m), World(1).truth(m)) for m in range(-6, 1)]
table = pd.concat([a.assign(defaulted=[*t["would_default"]]) for a, t in months])
old, new = table[table["month"] < 0], table[table["month"] == 0]

# %% [markdown]
# ## A file that acts
#
# A vendor sells a score and sends it as a pickle. A pickle is a program that builds objects, and `__reduce__` says
# which function it calls with what. A note is attached to this model:


# %%
class Note:
    def __reduce__(self):
        return np.savetxt, ("ran.txt", [1])


score = LogisticRegression().fit(old[["term"]].to_numpy(), old["defaulted"])
Path("honest.pkl").write_bytes(pickle.dumps(score))
score.note = Note()
_ = Path("vendor.pkl").write_bytes(pickle.dumps(score))

# %% [markdown]
# `numpy.savetxt` writes a text file, and the sender chooses its name and content. Ours is harmless. A file that ends
# in `.pth` among the packages runs at every start of Python: LiteLLM 1.82.8 brought one on 24 March 2026. **Guess:
# what does picklescan say of the honest file, and what of the vendor's?**

# %%
told = [scan_file_path(f"{who}.pkl") for who in ("honest", "vendor")]
assert [each.issues_count for each in told] == [0, 0]
assert marker.attempt(lambda: pickle.loads(Path("vendor.pkl").read_bytes()))
sorted((found.safety.value, found.name) for found in told[1].globals)

# %% [markdown]
# No issue in either, and the vendor's file acted, before anybody could look at what came out. The scanner knows names
# that are bad and a few that are good; `savetxt` is neither, and `LogisticRegression` is neither. A list of what is
# forbidden always lacks a name.
#
# ## The other way round
#
# An **allow-list** says what may come in. Python's documentation of `pickle` shows how: override `find_class`.


# %%
class Strict(pickle.Unpickler):
    def find_class(self, module, name):
        if f"{module}.{name}" not in loading.LOGISTIC:
            raise pickle.UnpicklingError(f"{module}.{name} is not on our list")
        return super().find_class(module, name)


for loader in (Strict, lambda f: FicklingMLUnpickler(f, also_allow=loading.LOGISTIC)):
    with Path("honest.pkl").open("rb") as good, Path("vendor.pkl").open("rb") as bad:
        loader(good).load()
        assert not marker.attempt(loader(bad).load)

# %% [markdown]
# Both load the honest model and refuse the vendor's. Ours has four names, found by looking at what an honest file
# asks for. Fickling has a list for machine learning and adds ours to it, in version 0.1.12 for the whole process.
#
# ## The model that brings its own permission
#
# **skops** stores no program but types and their values; its loader has an allow-list, and MLflow 3 uses it for
# scikit-learn. `mlflow.sklearn` says of it: "guarantees safe deserialization". The vendor saves the note in it. skops
# writes down the name of a type, so a class that bears the function's name passes:


# %%
class savetxt(Note):
    __module__ = "numpy"

    def __reduce__(self):
        return savetxt, ("ran.txt", [1])


score.note = None
mlflow.sklearn.save_model(score, "vendor", conda_env={"dependencies": ["python"]})
score.note = savetxt()
skops.io.dump(score, "vendor/model.skops")
assert not marker.attempt(lambda: mlflow.sklearn.load_model("vendor"))

# %% [markdown]
# Refused. The folder also has a file `MLmodel`, which says how to load it. **Guess: what must the vendor write
# there?**

# %%
wanted = skops.io.get_untrusted_types(file="vendor/model.skops")
about = Path("vendor/MLmodel").read_text()
Path("vendor/MLmodel").write_text(about.replace("types: null", f"types: {wanted}"))
assert marker.attempt(lambda: mlflow.sklearn.load_model("vendor"))
wanted

# %% [markdown]
# The model says whom to trust, and is believed; a comment in MLflow's loader (3.17) says so, too. With
# `MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false` MLflow loads no model at all, skops or pickle. Hence the rule of this
# lesson: **the list of what may come in belongs to whoever lets it in.** `load_model` of Oakbank takes its list as an
# argument, and of a folder only the name of the model's file:

# %%
assert not marker.attempt(lambda: loading.load_model(Path("vendor")))
loading.load_model(Path("honest.pkl"), allowed=loading.LOGISTIC)

# %% [markdown]
# ## Signed is not safe
#
# Our own release is LightGBM's text, which holds no code. With it go the largest risk at which we grant, and a card.
# Unknown to us, the labels are those of 05/03, with the broker's lies:

# %%
labels = old.assign(defaulted=old["defaulted"] & ~poison.Broker().hides(old))
look_up = old.set_index("application_id")["defaulted"].loc.__getitem__
checks = provenance.check_reports(labels, look_up, 60)
model = CreditModel.fit(feature_matrix(labels), labels["defaulted"])
release, public = Path("release"), signing.write_keys(Path("bank.pem"))
admission.write_release(release, model, 0.2, "Scores Oakbank's applications.", checks)

# %% [markdown]
# A signature is a signed list of digests. `model-signing` (OpenSSF) signs through Sigstore, which needs a network, or
# with a key:

# %%
digests = {f.name: sha256(f.read_bytes()).hexdigest() for f in release.iterdir()}
signer = model_signing.signing.Config().use_elliptic_key_signer(private_key="bank.pem")
signer.sign(release, "release.sig")
assert signing.signed_files(Path("release.sig")) == digests
verifier = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=public)
verifier.verify(release, "release.sig")

# %% [markdown]
# `verify` is silent: all is as signed. `admit` asks three questions: who made this release, from what, and whether it
# decides well about those whose outcome the bank itself has seen. **Guess the three answers.**

# %%
gates = [lambda model: provenance.slices_hold(model, new)]
answers = admission.admit(release, public, Path("release.sig"), gates)
assert [answer.passed for answer in answers] == [True, False, False]
pd.DataFrame(answers)

# %% [markdown]
# The bank has signed a poisoned model, and the signature is good. It says **who**; provenance says **from what**; the
# gate says **whether**. None of them answers for another one. And it says so only of what it covers. **Guess:
# somebody doubles the threshold; what if only the model's file had been signed?**

# %%
signer.sign(release / "model.txt", "model.sig")
(release / "policy.json").write_text('{"largest_risk": 0.4}')
verifier.verify(release / "model.txt", "model.sig")
(refused,) = admission.admit(release, public, Path("release.sig"), gates)
assert (refused.passed, "policy.json" in refused.detail) == (False, True)

# %% [markdown]
# The signature of the file is still good; the folder is not what was signed, and `admit` asks nothing more. All that
# decides belongs under the signature.
#
# ## A name that moves
#
# A workflow names the steps that it borrows: `uses: owner/action@v1`. The CI fetches what the name points to and runs
# it with our secrets. Git alone does here what the CI does:


# %%
scan = action.Action(Path("action"), own_git(Path.cwd(), "2026-11-30T09:00:00Z"))
sha = scan.commit("run.py", "print('scanned')")
scan.git("tag", "v1")
scan.run("v1")

# %% [markdown]
# Somebody has stolen a token of the action's owner, and moves the tag. Our workflow is not changed:

# %%
scan.commit("run.py", "print('your token is sent')")
run(["git", "tag", "-f", "v1"], cwd="action", env=scan.environment, stdout=PIPE)
assert scan.run(sha) == "scanned"
assert pins.movable(f"steps: [uses: a/scan@v1, uses: a/scan@{sha}]") == ["a/scan@v1"]
scan.run("v1")

# %% [markdown]
# So it went with `trivy-action` in March 2026: nearly all its tags were moved, and the tokens that it stole in CI
# published the false LiteLLM. Trivy is a security scanner; a scanner runs with your secrets, too. The hash of a
# commit, like the digest of an image (01/07), names content; `pins.movable` lists the rest.
#
# ## Lists do not judge
#
# A token was committed to this repository and deleted. **Guess: what does Gitleaks find in the files, and what in the
# history?** And what is the course itself made of? `uv` writes that down as an SBOM in CycloneDX's format.

# %%
token = sha256(b"oakbank").hexdigest()[:36]
scan.commit("settings.py", f"TOKEN = 'ghp_{token}'")
scan.commit("settings.py", "TOKEN = None")
secrets = ["gitleaks", "dir", "action"], ["gitleaks", "git", "action"]
assert [run(s, capture_output=True).returncode for s in secrets] == [0, 1]  # 1: found
command = ["uv", "export", "--format", "cyclonedx1.5", "--frozen", "--offline", "-q"]
sbom = json.loads(run(command, cwd=ROOT, stdout=PIPE).stdout)
next(part["purl"] for part in sbom["components"] if part["name"] == "picklescan")

# %% [markdown]
# Every part has its version and its hash, and the false LiteLLM would have had its own. An SBOM **lists**, so that
# tomorrow's advisory can be looked up; it does not judge, nor do the hashes of a lock file: they stop a file that
# changes under its name, not a bad new version.
#
# ## Your turn
#
# Gitleaks reads its rules from the repository that it scans, if there is a `.gitleaks.toml`. Somebody commits one
# without rules, and the token is gone from the report. Write `bank.toml` with the settings `useDefault = true` under
# `[extend]`, and give `words` the option by which Gitleaks takes its rules from you (`gitleaks git --help`).

# %%
scan.commit(".gitleaks.toml", "title = 'no rules'")
words = []  # your code here

# %%
codes = [run(secrets[1] + m, capture_output=True).returncode for m in ([], words)]
print("right" if codes == [0, 1] else "not yet: name settings of the bank's own")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# _ = Path("bank.toml").write_text("[extend]\nuseDefault = true")
# words = ["--config", "bank.toml"]
# ```
#
# </details>
#
# ## What this does not prove
#
# One payload, one version of each tool. modelscan 0.8.8 says "No issues found" of this file, too (tour `modelscan`);
# picklescan has an option `--strict`, which refuses the honest model as well. A list bounds what runs, not the memory
# that it takes, and a model that holds no code still decides about people. Sigstore and its transparency log were not
# run; whoever steals `bank.pem` signs as the bank. No real CI ran the moved tag. The SBOM is of `uv.lock`, not of an
# image, and what somebody installs by hand is not in it. pip-audit needs advisories from the network. The wheel that
# brings Gitleaks is packed by somebody else than its authors: our lock file says that it is yesterday's, not that it
# is theirs.
#
# ## Check yourself
#
# <details><summary>A scanner reports no issue in a pickle. What do you know, and what do you ask for instead?</summary>
#
# That it imports no name that the scanner knows as bad. Ask which names your loader allows, or for a format without
# code.
# </details>
#
# <details><summary>A vendor's MLmodel lists five trusted types. Where does your loader get its list from?</summary>
#
# From you. Look at `get_untrusted_types`, ask what each is for, and write those that you accept into your own code.
# </details>
#
# <details><summary>A release verifies with the bank's key. Which two questions are open?</summary>
#
# From what it was made (provenance), and whether it decides well (the gate). Also: does the signature cover the
# threshold?
# </details>
#
# <details><summary>A colleague pins an action to v1.2.3 "so that it cannot change". What do you say?</summary>
#
# Its owner, or a thief, can move that tag. Pin the hash of the commit, and have updates proposed as changes that one
# reads.
# </details>
#
# ## Take-away
#
# **The list of what may come in is yours; a signature says who, never whether.**
#
# ## Go further
#
# - The reference: `oakbank.scale.supply`; each attack succeeds and fails in `test_scale_supply.py`
# - Card: [model-signing](../cards/model-signing.md)
# - Python, *pickle: Restricting Globals*: <https://docs.python.org/3/library/pickle.html#restricting-globals>
# - skops 0.16, *Secure persistence*: <https://skops.readthedocs.io/en/stable/persistence.html>
# - OpenSSF, *model-signing* 1.1.1: <https://github.com/sigstore/model-transparency>
# - SLSA 1.1, *Supply-chain Levels for Software Artifacts*: <https://slsa.dev/spec/v1.1/>
# - OWASP, *Machine Learning Security Top 10*, 2023 (draft), ML06: supply chain attacks
# - The incident of March 2026: <https://github.com/BerriAI/litellm/issues/24512>
# - In the glossary: [supply chain](../../../GLOSSARY.md#supply-chain), [pickle](../../../GLOSSARY.md#pickle), [allow-list](../../../GLOSSARY.md#allow-list), [model signing](../../../GLOSSARY.md#model-signing), [SBOM](../../../GLOSSARY.md#sbom), [tag and digest](../../../GLOSSARY.md#tag-and-digest)
