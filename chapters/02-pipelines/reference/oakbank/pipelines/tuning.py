"""The search for LightGBM's settings, judged by folds in time; the hold-out has no say in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.folds import LABEL, Fold, time_folds
from oakbank.pipelines.german import GERMAN, GERMAN_PARAMS
from oakbank.pipelines.model import SAME_BYTES, TREE_PARAMS, month_weight, spec_of
from oakbank.pipelines.steps import is_holdout
from oakbank.world.files import write_json
from oakbank.world.lake import read_parquet

if TYPE_CHECKING:
    import optuna

MAX_ROUNDS = 400
PATIENCE = 25
"""Rounds without a better loss after which a fit is stopped."""
SPACE: dict[str, tuple[float, float, bool]] = {
    "learning_rate": (0.02, 0.2, True),
    "num_leaves": (3, 31, True),
    "min_data_in_leaf": (10, 200, True),
    "lambda_l2": (0.1, 50.0, True),
    "feature_fraction": (0.3, 1.0, False),
}
"""What is searched: from, to, and whether on a logarithmic scale. A range between whole numbers gives whole numbers."""


@dataclass(frozen=True)
class Score:
    """How one setting did on one fold."""

    loss: float
    """Log loss on the months judged, at the best round."""
    rounds: int
    """That round: the number of trees."""


class Bench:
    """Fits settings on folds and keeps count.

    Args:
        table: From the step `features`, without the hold-out, shape (n, any).
        folds: From `time_folds(table)`.
        spec: Which data set it is.
        seed: Seed of LightGBM.
        half_life: Months after which a row counts half in training; None: all count alike.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        folds: list[Fold],
        *,
        spec: str = OAKBANK.name,
        seed: int = 0,
        half_life: float | None = None,
    ) -> None:
        names = list(spec_of(spec).feature_names)
        matrix, outcome = table[names].to_numpy(np.float32), table[LABEL].to_numpy(np.int8)
        month = table["_month"].to_numpy()
        self.folds = folds
        self.fits = 0
        self._settings = {"objective": "binary", "metric": "binary_logloss", "seed": seed} | SAME_BYTES
        weights = [month_weight(month[fold.train], half_life) for fold in folds]
        self._parts = [
            (matrix[fold.train], outcome[fold.train], weight, matrix[fold.judge], outcome[fold.judge])
            for fold, weight in zip(folds, weights, strict=True)
        ]

    def score(self, fold: int, params: dict[str, Any]) -> Score:
        """Fit on one fold, and stop when the months judged have not been predicted better for `PATIENCE` rounds."""
        rows, outcome, weight, judged, truth = self._parts[fold]
        settings = self._settings | params
        train = lgb.Dataset(rows, outcome, weight=weight, params=settings)
        model = lgb.train(
            settings,
            train,
            num_boost_round=MAX_ROUNDS,
            valid_sets=[lgb.Dataset(judged, truth, reference=train, params=settings)],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        )
        self.fits += 1
        return Score(round(float(model.best_score["valid_0"]["binary_logloss"]), 9), int(model.best_iteration))


def suggest(trial: "optuna.Trial") -> dict[str, Any]:
    """Draw one setting from `SPACE`."""
    found: dict[str, Any] = {}
    for name, (low, high, log) in SPACE.items():
        whole = isinstance(low, int)
        found[name] = (
            trial.suggest_int(name, int(low), int(high), log=log)
            if whole
            else trial.suggest_float(name, low, high, log=log)
        )
    return found


def search(bench: Bench, start: dict[str, Any], trials: int = 20, seed: int = 0) -> "optuna.Study":
    """Search with Optuna: a seeded sampler, a study in memory, and an end for trials that fall behind.

    After each fold a trial's mean loss so far is held against the median of the trials before it at the same fold;
    what is worse is pruned. Each trial keeps its rounds by fold in the user attribute `rounds`.

    Args:
        bench: What settings are scored on.
        start: The first trial, by name as in `SPACE`: what the search has to beat.
        trials: Number of trials, 1 or more.
        seed: Seed of the sampler.
    """
    import optuna  # late: only a search needs it

    def objective(trial: "optuna.Trial") -> float:
        params, losses, rounds = suggest(trial), [], []
        for fold in range(len(bench.folds)):
            score = bench.score(fold, params)
            losses.append(score.loss)
            rounds.append(score.rounds)
            trial.set_user_attr("rounds", rounds)
            trial.report(float(np.mean(losses)), fold)
            if trial.should_prune() and fold < len(bench.folds) - 1:
                raise optuna.TrialPruned
        return float(np.mean(losses))

    said = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        )
        study.enqueue_trial(start)
        study.optimize(objective, n_trials=trials)
    finally:
        optuna.logging.set_verbosity(said)
    return study


def tune(
    matrix: Path,
    chosen: Path,
    *,
    spec: str = OAKBANK.name,
    holdout: int = 2,
    trials: int = 20,
    seed: int = 0,
    folds: int = 3,
    gap: int = 0,
    half_life: float | None = None,
) -> None:
    """Search settings on the training months and write the best ones; the first trial is today's settings.

    Args:
        matrix: From the step `features`. Its hold-out is cut off before anything else is done.
        chosen: Where to write JSON: `params` (LightGBM's, as `train` takes them), `rounds` (the median of the best
            rounds by fold), the mean log loss on the months judged as `loss` of the best trial (the best of many, so
            better than it will be) and `start_loss` of the first, `fits`, `folds`, and all `trials`.
        spec: Which data set it is.
        holdout: Months held out, as in `train`.
        trials: Number of settings tried, 1 or more.
        seed: Seed of the sampler and of LightGBM. The same seed gives the same bytes.
        folds: As in `time_folds`.
        gap: As in `time_folds`.
        half_life: As in `train`.

    Raises:
        LakeError: There are too few months, or a part of a fold has one kind of outcome only.
        ValueError: `trials` is below 1.
    """
    if trials < 1:
        raise ValueError(f"trials must be 1 or more, not {trials}; for no search leave the step out")
    table = read_parquet(matrix)
    table = table[~is_holdout(table, holdout, spec)].reset_index(drop=True)
    cut = time_folds(table, folds, gap, spec)
    bench = Bench(table, cut, spec=spec, seed=seed, half_life=half_life)
    start = TREE_PARAMS | (GERMAN_PARAMS if spec == GERMAN.name else {})
    study = search(bench, start, trials, seed)
    best = study.best_trial
    write_json(
        chosen,
        {
            "params": best.params,
            "rounds": int(np.median(best.user_attrs["rounds"])),
            "loss": best.value,
            "start_loss": study.trials[0].value,
            "fits": bench.fits,
            "folds": [
                {"judged": f.name, "rows_to_train": int(f.train.sum()), "rows_judged": int(f.judge.sum())} for f in cut
            ],
            "trials": [
                {
                    "params": trial.params,
                    "rounds": trial.user_attrs["rounds"],
                    "loss": trial.value if trial.state.name == "COMPLETE" else None,
                    "state": trial.state.name.lower(),
                }
                for trial in study.trials
            ],
        },
    )
