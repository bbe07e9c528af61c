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
# Lesson 05/03 was about people who send rows. Now people send files: a vendor sends a model, and a stranger has written
# a step that our CI runs.

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
# A vendor sells a score and sends it as a pickle. A pickle is a program that builds objects. The method `__reduce__` of
# an object says which function is called at loading, and with which arguments. Here a note is attached to a model:


# %%
class Note:
    def __reduce__(self):
        return np.savetxt, ("ran.txt", [1])


score = LogisticRegression().fit(old[["term"]].to_numpy(), old["defaulted"])
Path("honest.pkl").write_bytes(pickle.dumps(score))
score.note = Note()
_ = Path("vendor.pkl").write_bytes(pickle.dumps(score))

# %% [markdown]
# `numpy.savetxt` writes a text file, and the sender chooses its name and content. Ours is harmless. But at each start,
# Python runs the `import` lines of `.pth` files among its packages: LiteLLM 1.82.8 brought one on 24 March 2026.
# **Guess: what does the scanner picklescan say of the honest file, and what of the vendor's?**

# %%
told = [scan_file_path(f"{who}.pkl") for who in ("honest", "vendor")]
assert [each.issues_count for each in told] == [0, 0]
assert marker.attempt(lambda: pickle.loads(Path("vendor.pkl").read_bytes()))
sorted((found.safety.value, found.name) for found in told[1].globals)

# %% [markdown]
# No issue in either, and the vendor's file acted while it was loaded. The scanner knows names that are bad and a few
# that are good. It knows neither `savetxt` nor `LogisticRegression`: both are only *suspicious*, which is no issue. A
# list of what is forbidden is never complete.
#
# ## The other way round
#
# An **allow-list** says what may come in. Python's documentation of `pickle` shows how: override `find_class`, which
# imports each name. The second loader below is from the tool Fickling.


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
# Both loaders load the honest model and refuse the vendor's. Our list has four names: what an honest file asks for.
# Fickling has its own list for machine learning and adds ours to it. In version 0.1.12, a name that we add to a module
# on Fickling's list is then allowed in the whole process.
#
# ## The model that brings its own permission
#
# The format **skops** stores no program, only types and their values, and its loader has an allow-list. MLflow 3.17
# uses it by default for scikit-learn, and says that it "guarantees safe deserialization". Now the vendor saves the note
# in this format. skops writes down only the name of a type, so in the file our class `numpy.savetxt` looks like the
# function:


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
# The model says which types to trust, and MLflow believes it; a comment in MLflow's loader (3.17) says this, too. With
# `MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false`, `mlflow.sklearn` loads no model at all, neither skops nor pickle. So the
# rule of this lesson is: **the list of what may come in belongs to whoever lets it in.** Oakbank's `load_model` takes
# its list as an argument. From the folder's `MLmodel` it takes only the name of the model's file:

# %%
assert not marker.attempt(lambda: loading.load_model(Path("vendor")))
loading.load_model(Path("honest.pkl"), allowed=loading.LOGISTIC)

# %% [markdown]
# ## Signed is not safe
#
# Our own release is a LightGBM model, saved as text, which holds no code. With it go the threshold (the largest risk at
# which we grant a loan), a card, and how many labels were looked up and false, as in 05/03 (`checks`). The broker of
# 05/03 has lied in the labels, but nobody has read `checks` yet:

# %%
labels = old.assign(defaulted=old["defaulted"] & ~poison.Broker().hides(old))
look_up = old.set_index("application_id")["defaulted"].loc.__getitem__
checks = provenance.check_reports(labels, look_up, 60)
model = CreditModel.fit(feature_matrix(labels), labels["defaulted"])
release, public = Path("release"), signing.write_keys(Path("bank.pem"))
admission.write_release(release, model, 0.2, "Scores Oakbank's applications.", checks)

# %% [markdown]
# Here a signature is a list of the files' digests that is signed with a key. `model-signing` (OpenSSF) does this with
# your own key, or through the public service Sigstore, which needs a network:

# %%
digests = {f.name: sha256(f.read_bytes()).hexdigest() for f in release.iterdir()}
signer = model_signing.signing.Config().use_elliptic_key_signer(private_key="bank.pem")
signer.sign(release, "release.sig")
assert signing.signed_files(Path("release.sig")) == digests
verifier = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=public)
verifier.verify(release, "release.sig")

# %% [markdown]
# `verify` raises no error: all files are as they were signed. `admit` asks three questions: who made this release, from
# what, and whether its predictions fit the true outcomes of the next month, slice by slice (the gate of 05/03).
# **Guess the three answers.**

# %%
gates = [lambda model: provenance.slices_hold(model, new)]
answers = admission.admit(release, public, Path("release.sig"), gates)
assert [answer.passed for answer in answers] == [True, False, False]
pd.DataFrame(answers)

# %% [markdown]
# The bank has signed a poisoned model, and the signature is good. It says **who**; provenance says **from what**; the
# gate says **whether**. None of them answers the question of another one. And a signature speaks only of the files that
# it covers. Somebody doubles the threshold. **Guess: which signature still verifies, one of the model's file alone or
# that of the whole release?**

# %%
signer.sign(release / "model.txt", "model.sig")
(release / "policy.json").write_text('{"largest_risk": 0.4}')
verifier.verify(release / "model.txt", "model.sig")
(refused,) = admission.admit(release, public, Path("release.sig"), gates)
assert (refused.passed, "policy.json" in refused.detail) == (False, True)

# %% [markdown]
# The signature of the model's file is still good. But the folder is no longer what was signed: `admit` refuses it, and
# asks no more questions. So sign every file that has a part in the decision.
#
# ## A name that moves
#
# A workflow names the steps that it takes from others, the *actions*: `uses: owner/action@v1`. The CI fetches the code
# to which the name points, and runs it where our secrets are. Here `scan.run` does the same with git:


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
# This happened to `trivy-action` in March 2026: nearly all its tags were moved. Its new code stole tokens in CI, and
# with such a token somebody published the false LiteLLM. Trivy is a security scanner, and runs where your secrets are.
# The hash of a commit, like the digest of an image (01/07), names content. `pins.movable` lists each step that is named
# in another way.
#
# ## Lists do not judge
#
# Somebody commits a token to this repository, and deletes it again. Gitleaks searches for such secrets. **Guess: what
# does it find in the files, and what in the history?** And of which packages is the course itself made? `uv` lists them
# in an **SBOM** (software bill of materials), in the format CycloneDX.

# %%
token = sha256(b"oakbank").hexdigest()[:36]
scan.commit("settings.py", f"TOKEN = 'ghp_{token}'")
scan.commit("settings.py", "TOKEN = None")
secrets = ["gitleaks", "dir", "action"], ["gitleaks", "git", "action"]
assert [run(s, capture_output=True).returncode for s in secrets] == [0, 1]  # 1: found
scan.commit(".gitleaks.toml", "title = 'no rules'")  # for *Your turn*
command = ["uv", "export", "--format", "cyclonedx1.5", "--frozen", "--offline", "-q"]
sbom = json.loads(run(command, cwd=ROOT, stdout=PIPE).stdout)
next(part["purl"] for part in sbom["components"] if part["name"] == "picklescan")

# %% [markdown]
# Each package has its version and its hashes there, and the false LiteLLM would have had them, too. An SBOM **lists**:
# when a warning about a package comes (an *advisory*), you can look whether you have it. It does not judge. Nor do the
# hashes of a lock file: they stop a file that changes under its name, but not a bad new version.
#
# ## Your turn
#
# Gitleaks reads its rules from the repository that it scans, if there is a `.gitleaks.toml`. Somebody has committed one
# without rules (last cell), and the token is gone from the report. Write a file `bank.toml` with `useDefault = true`
# under `[extend]`. Put into `words` the option, and its value, by which Gitleaks takes its rules from your file
# (`gitleaks git --help`).

# %%
words = []  # your code here

# %%
codes = [run(secrets[1] + m, capture_output=True).returncode for m in ([], words)]
print("right" if codes == [0, 1] else "not yet: Gitleaks must read your bank.toml")

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
# We tried one attack, and one version of each tool. modelscan 0.8.8 says "No issues found" of this file, too (tour
# `modelscan`); picklescan has an option `--strict`, which refuses the honest model as well. A list limits what runs,
# not the memory that it takes, and a model that holds no code still decides about people. Sigstore was not run; whoever
# steals `bank.pem` signs as the bank. No real CI ran the moved tag. The SBOM is of `uv.lock`, not of an image, and what
# somebody installs by hand is not in it. pip-audit, which looks up advisories, needs the network. The wheel of Gitleaks
# is not made by its authors: our lock file says that the wheel has not changed, not that it holds what they wrote.
#
# ## Check yourself
#
# <details><summary>A scanner reports no issue in a pickle. What do you know, and what do you ask for instead?</summary>
#
# That it imports no name that the scanner knows as bad. Load it only by a list of your own, or ask the sender for a
# format without code.
# </details>
#
# <details><summary>A vendor's MLmodel lists five trusted types. Where does your loader get its list from?</summary>
#
# From you. See which types `get_untrusted_types` returns, ask what each is for, and write those that you accept into
# your own code.
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
# Its owner, or a thief, can move that tag. Pin the hash of the commit, and let a tool propose each update as a change
# that a person reads.
# </details>
#
# ## Take-away
#
# **The list of what may come in is yours; a signature says who, never whether.**
#
# ## Go further
#
# - The reference: `oakbank.scale.supply`; `test_scale_supply.py` tries each attack with and without the defence
# - Card: [model-signing](../cards/model-signing.md)
# - Python, *pickle: Restricting Globals*: <https://docs.python.org/3/library/pickle.html#restricting-globals>
# - skops 0.16, *Secure persistence*: <https://skops.readthedocs.io/en/stable/persistence.html>
# - OpenSSF, *model-signing* 1.1.1: <https://github.com/sigstore/model-transparency>
# - SLSA 1.1, *Supply-chain Levels for Software Artifacts*: <https://slsa.dev/spec/v1.1/>
# - OWASP, *Machine Learning Security Top 10*, 2023 (draft), ML06: supply chain attacks
# - The incident of March 2026: <https://github.com/BerriAI/litellm/issues/24512>
# - In the glossary: [supply chain](../../../GLOSSARY.md#supply-chain), [pickle](../../../GLOSSARY.md#pickle), [allow-list](../../../GLOSSARY.md#allow-list), [model signing](../../../GLOSSARY.md#model-signing), [SBOM](../../../GLOSSARY.md#sbom), [tag and digest](../../../GLOSSARY.md#tag-and-digest)
