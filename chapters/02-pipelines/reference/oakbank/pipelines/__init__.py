"""Oakbank's training pipeline: from the lake to a registered model."""

from oakbank.pipelines.artifacts import PipelineBusyError, code_hash, file_hash, folder_lock, write_json, write_text
from oakbank.pipelines.dag import Dag, DagError, Step
from oakbank.pipelines.evaluation import Evaluation, evaluate_model
from oakbank.pipelines.expectations import check_delivery, check_month
from oakbank.pipelines.features import FEATURE_NAMES, OAKBANK, DataSpec, build_features, feature_matrix
from oakbank.pipelines.german import GERMAN, GERMAN_PARAMS, GermanFile, load_german
from oakbank.pipelines.history import HISTORY, OAKBANK_HISTORY, HistoryError, HistorySpec, training_view
from oakbank.pipelines.model import CreditModel, ModelError, grant
from oakbank.pipelines.online import HistoryStore
from oakbank.pipelines.registry import Registry, RegistryError
from oakbank.pipelines.table_spec import SourceError, TableSpec, read_spec
from oakbank.pipelines.tables import OwnData, load_table
from oakbank.pipelines.training import TrainingConfig, TrainingRun, run_training, training_dag
from oakbank.pipelines.validation import FeedReference, Problem, bad_rows, check_feed, repair_feed

__all__ = [
    "FEATURE_NAMES",
    "GERMAN",
    "GERMAN_PARAMS",
    "HISTORY",
    "OAKBANK",
    "OAKBANK_HISTORY",
    "CreditModel",
    "Dag",
    "DagError",
    "DataSpec",
    "Evaluation",
    "FeedReference",
    "GermanFile",
    "HistoryError",
    "HistorySpec",
    "HistoryStore",
    "ModelError",
    "OwnData",
    "PipelineBusyError",
    "Problem",
    "Registry",
    "RegistryError",
    "SourceError",
    "Step",
    "TableSpec",
    "TrainingConfig",
    "TrainingRun",
    "bad_rows",
    "build_features",
    "check_delivery",
    "check_feed",
    "check_month",
    "code_hash",
    "evaluate_model",
    "feature_matrix",
    "file_hash",
    "folder_lock",
    "grant",
    "load_german",
    "load_table",
    "read_spec",
    "repair_feed",
    "run_training",
    "training_dag",
    "training_view",
    "write_json",
    "write_text",
]
