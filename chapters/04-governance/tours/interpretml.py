# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "interpret-core", "numba>=0.60", "shap",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of InterpretML: a model that is its own explanation, on the declined applicant of lesson 04/04.

    python3 bootstrap.py tour interpretml

An explainable boosting machine (EBM) is a sum of curves, one a column, found by boosting. Its explanation is the model
read off: no background, no sampling. SHAP, asked about an EBM, finds the same curves, less their mean over the
background.
"""

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in ("01-intro/reference", "02-pipelines/reference")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import shap  # noqa: E402
from interpret.glassbox import ExplainableBoostingClassifier  # noqa: E402
from lightgbm import LGBMClassifier  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.pipelines import (  # noqa: E402
    CreditModel,
    TrainingConfig,
    TrainingRun,
    build_features,
    feature_matrix,
    grant,
    run_training,
)
from oakbank.world import Lake, World, publish_history  # noqa: E402

COLUMNS = ["income", "bureau_score", "delinquencies", "amount"]
HER = 391
Numbers = NDArray[np.float64]


def trees(past: pd.DataFrame, people: Numbers, background: Numbers) -> Numbers:
    """Return SHAP's values of all people for the small model of the lesson, by trees."""
    model = LGBMClassifier(n_estimators=40, num_leaves=8, n_jobs=1, verbosity=-1)
    model.fit(past[COLUMNS].to_numpy(float), past["defaulted"])
    return np.asarray(shap.TreeExplainer(model, background)(people).values)


def solve(past: pd.DataFrame, people: Numbers) -> tuple[ExplainableBoostingClassifier, Numbers]:
    """Return an EBM of the same columns, and what each of its curves says of each of the people."""
    model = ExplainableBoostingClassifier(feature_names=COLUMNS, interactions=0, n_jobs=1, random_state=0)
    model.fit(past[COLUMNS].to_numpy(float), past["defaulted"])
    return model, model.eval_terms(people)


def less_their_mean(terms: Numbers, of_background: Numbers) -> Numbers:
    """Return the exact Shapley values of a sum of curves against a background."""
    return np.asarray(terms - of_background.mean(axis=0))


def by_shap(model: ExplainableBoostingClassifier, row: Numbers, background: Numbers) -> Numbers:
    """Return the exact Shapley values of one row by SHAP, which knows nothing of the curves and asks the model only."""
    # A bound method would let SHAP take the names of the columns from the model.
    tool = shap.KernelExplainer(lambda rows: model.decision_function(rows), background)
    return np.asarray(tool.shap_values(row, silent=True))


def aucs(run: TrainingRun, small: ExplainableBoostingClassifier, world: World) -> dict[str, float]:
    """Return AUCs for everybody who applies in three months; all but the bank's model learned from the same loans."""
    door = pd.concat([world.applications(month) for month in range(3)], ignore_index=True)
    defaults = pd.concat([world.truth(month)["would_default"] for month in range(3)], ignore_index=True)
    past, features = run.holdout(), build_features(door)
    large = ExplainableBoostingClassifier(interactions=0, n_jobs=1, outer_bags=4, random_state=0)
    large.fit(build_features(past), past["defaulted"])
    risks = {
        "the bank's model, of all its loans": run.model().predict(door),
        "the same recipe, of the EBM's loans": CreditModel.fit(feature_matrix(past), past["defaulted"]).predict(door),
        "EBM, the same features": large.predict_proba(features)[:, 1],
        "EBM, four columns": small.predict_proba(door[COLUMNS].to_numpy(float))[:, 1],
    }
    return {name: float(roc_auc_score(defaults, risk)) for name, risk in risks.items()}


def main() -> None:
    """Run the tour."""
    tour = Tour("InterpretML", "interpret-core", "shap")
    world = World(11, "calm")
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        publish_history(world, lake)
        run = run_training(TrainingConfig(), lake, Path(folder) / "run")
        month, past = world.applications(0), run.holdout()
        yes = grant(run.model().predict(month), month["amount"], month["term"])
        people = month[COLUMNS].to_numpy(float)
        background = people[yes][:100]
        shap_of_trees = tour.plain("40 small trees and SHAP", partial(trees, past, people, background))[HER]
        model, terms = tour.system_does(partial(solve, past, people))
        if not np.allclose(model.intercept_ + terms.sum(axis=1), model.decision_function(people)):
            raise RuntimeError("the curves of the EBM do not add up to its answer")
        own = less_their_mean(terms[HER], terms[yes][:100])
        if not np.allclose(by_shap(model, people[HER], background), own, atol=1e-6):
            raise RuntimeError("SHAP's values of the EBM are not its curves less their mean")
        tour.say(f"applicant {HER}, log-odds against a hundred granted loans; the EBM's own values are SHAP's:")
        table = pd.DataFrame({"EBM's curves": terms[HER], "EBM": own, "trees": shap_of_trees}, index=COLUMNS)
        tour.say(table.round(2).to_string())
        for name, auc in aucs(run, model, world).items():
            tour.say(f"AUC {auc:.3f}  {name}")
    tour.end(
        stores="nothing; curves and explanations are objects in memory",
        asks="columns that mean something: each gets a curve that somebody should look at",
        not_proven=(
            "that a sum of curves is enough elsewhere: this world's risk is nearly one; that a curve is right because "
            "it can be read; that a column was measured alike for all"
        ),
        real=(
            "pip install interpret-core  # there is no service: the library is all",
            "ExplainableBoostingClassifier().fit(features, defaulted)  # without interactions=0: pairs of columns, too",
        ),
    )


if __name__ == "__main__":
    main()
