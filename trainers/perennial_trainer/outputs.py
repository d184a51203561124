"""What a training leaves in its output folder."""

import platform
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error, roc_auc_score

from .files import write_atomically, write_bytes, write_json
from .spec import OUTPUT_NAME, Feature, TrainSpec

_REPORTED_PACKAGES = ("lightgbm", "scikit-learn", "numpy", "onnx", "skl2onnx")


def signature_of(task: str, features: tuple[Feature, ...]) -> dict:
    inputs = [
        {
            "name": feature.name,
            "datatype": "BYTES" if feature.is_categorical else "FP32",
            "shape": [-1, 1],
            "missing": "allowed" if feature.missing_allowed else "forbidden",
            "column": feature.name,
        }
        for feature in features
    ]
    return {"task": task, "inputs": inputs, "outputs": [{"name": OUTPUT_NAME, "datatype": "FP32", "shape": [-1, 1]}]}


def training_metrics(spec: TrainSpec, label: np.ndarray, score: np.ndarray) -> dict[str, float]:
    if spec.is_regression:
        return {"trainRmse": float(np.sqrt(mean_squared_error(label, score))), "trainMae": float(mean_absolute_error(label, score))}
    return {"trainRocAuc": float(roc_auc_score(label, score)), "trainLogLoss": float(log_loss(label, score))}


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _REPORTED_PACKAGES}


def _write_predictions(path: Path, scores: np.ndarray) -> None:
    table = pa.table({OUTPUT_NAME: pa.array(scores.astype(np.float64))})
    write_atomically(path, lambda temporary: parquet.write_table(table, temporary, compression="zstd"))


def write_outputs(
    spec: TrainSpec, model: bytes, holdout_scores: np.ndarray, metrics: dict[str, float], importance: dict[str, float], rounds: int, rows: int,
    resumed_from: list[str],
) -> None:
    """model.onnx comes last: where it is, all the rest is."""
    folder = spec.output_folder
    report = {"metrics": metrics, "rounds": rounds, "rows": rows, "resumedFrom": resumed_from, "versions": _versions(), "importance": importance}
    write_json(folder / "metrics.json", report)
    write_json(folder / "signature.json", signature_of(spec.task, spec.features))
    _write_predictions(folder / "predictions.parquet", holdout_scores)
    write_bytes(folder / "model.onnx", model)
