"""Oakbank's training pipeline: from the lake to a registered model.

Here is what later chapters use of it; all else is in the modules.
"""

from oakbank.pipelines.artifacts import PipelineBusyError, code_hash, folder_lock
from oakbank.pipelines.evaluation import Evaluation, evaluate_model
from oakbank.pipelines.features import FEATURE_NAMES, OAKBANK, DataSpec, build_features, feature_matrix
from oakbank.pipelines.model import CreditModel, ModelError, grant
from oakbank.pipelines.registry import Registry, RegistryError
from oakbank.pipelines.training import TrainingConfig, TrainingRun, run_training
from oakbank.pipelines.validation import FeedReference, Problem, bad_rows, check_feed, repair_feed

__all__ = [
    "FEATURE_NAMES",
    "OAKBANK",
    "CreditModel",
    "DataSpec",
    "Evaluation",
    "FeedReference",
    "ModelError",
    "PipelineBusyError",
    "Problem",
    "Registry",
    "RegistryError",
    "TrainingConfig",
    "TrainingRun",
    "bad_rows",
    "build_features",
    "check_feed",
    "code_hash",
    "evaluate_model",
    "feature_matrix",
    "folder_lock",
    "grant",
    "repair_feed",
    "run_training",
]
