"""What lies in the output folder after a success."""

import json
import math
from pathlib import Path

import numpy as np
import onnx
import pyarrow.parquet as parquet

from perennial_trainer.json_schema import find_errors

_SIGNATURE_SCHEMA = Path(__file__).parent.parent / "signature.schema.json"
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_FORBIDDEN = {
    "Loop", "Scan", "SequenceMap", "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "ImageDecoder",
}
_ELEMENT_TYPES = {"FP32": onnx.TensorProto.FLOAT, "BYTES": onnx.TensorProto.STRING}
# Pickles start with their protocol, joblib and torch files are archives of pickles.
_PICKLE_STARTS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_PICKLE_SUFFIXES = {".pkl", ".pickle", ".joblib", ".pt", ".pth"}
PARITY_LIMIT = 1e-5
PARITY_ROWS = 50


def signature_errors(spec: dict) -> list[str]:
    signature = read_json(Path(spec["outputFolder"]) / "signature.json")
    errors = find_errors(signature, json.loads(_SIGNATURE_SCHEMA.read_text()))
    if errors:
        return errors
    expected = {
        feature["name"]: ("BYTES" if feature["type"] == "categorical" else "FP32", feature["missing"]) for feature in spec["features"]
    }
    found = {item["name"]: (item["datatype"], item["missing"]) for item in signature["inputs"]}
    return [] if found == expected else [f"the inputs are {found}, expected {expected}"]


def metrics_errors(spec: dict) -> list[str]:
    report = read_json(Path(spec["outputFolder"]) / "metrics.json")
    metrics = report.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        return ["metrics.json has no object metrics"]
    return [f"metrics.{name} is {value!r}, not a finite number" for name, value in metrics.items() if not _is_finite(value)]


def model_errors(spec: dict) -> list[str]:
    model = _load_model(spec)
    errors = [f"operator {node.op_type} of domain {node.domain!r} is not allowed" for node in _all_nodes(model.graph) if not _is_allowed(node)]
    errors += [f"constant {tensor.name} lies outside the file" for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    inputs = {item.name: item.type.tensor_type for item in model.graph.input}
    for feature in spec["features"]:
        wanted = _ELEMENT_TYPES["BYTES" if feature["type"] == "categorical" else "FP32"]
        found = inputs.pop(feature["name"], None)
        if found is None:
            errors.append(f"there is no input {feature['name']}")
        elif found.elem_type != wanted or len(found.shape.dim) != 2 or found.shape.dim[1].dim_value != 1:
            errors.append(f"input {feature['name']} is not {onnx.TensorProto.DataType.Name(wanted)} [N, 1]")
    errors += [f"input {name} is not a feature" for name in inputs]
    outputs = [(item.name, item.type.tensor_type.elem_type) for item in model.graph.output]
    return errors if outputs == [("score", onnx.TensorProto.FLOAT)] else [*errors, f"the outputs are {outputs}, not score alone"]


def predictions_errors(spec: dict) -> list[str]:
    """The predictions, and on the first rows whether the graph gives the same, by ONNX's own reference in Python."""
    table = parquet.read_table(Path(spec["outputFolder"]) / "predictions.parquet")
    holdout = parquet.read_table(spec["holdout"][0])
    if "score" not in table.column_names or str(table["score"].type) != "double":
        return [f"the columns are {table.schema.names}, expected score as float64"]
    scores = table["score"].to_numpy()
    if len(scores) != holdout.num_rows:
        return [f"{len(scores)} rows, but {holdout.num_rows} held-out rows"]
    if not np.all(np.isfinite(scores)):
        return ["some scores are not finite numbers"]
    if spec["task"] == "binaryClassification" and not np.all((scores >= 0) & (scores <= 1)):
        return ["some scores are not from 0 to 1"]
    if model_errors(spec):
        return []  # such a model is not run: it may never end
    head = scores[:PARITY_ROWS]
    difference = np.abs(_reference_scores(spec, holdout.slice(0, PARITY_ROWS)) - head).max() / max(1, np.abs(scores).max())
    return [] if difference <= PARITY_LIMIT else [f"model.onnx differs from the predictions by up to {difference:.3g}, more than {PARITY_LIMIT:g}"]


def pickles_in(spec: dict) -> list[str]:
    files = [path for name in ("outputFolder", "checkpointFolder") for path in Path(spec[name]).rglob("*") if path.is_file()]
    return [path.name for path in files if path.suffix in _PICKLE_SUFFIXES or path.read_bytes()[:2] in _PICKLE_STARTS]


def _reference_scores(spec: dict, rows) -> np.ndarray:
    from onnx.reference import ReferenceEvaluator

    feeds = {}
    for feature in spec["features"]:
        column = rows[feature["name"]]
        if feature["type"] == "categorical":
            feeds[feature["name"]] = np.array(column.fill_null("").to_pylist(), dtype=object).reshape(-1, 1)
        else:
            feeds[feature["name"]] = column.fill_null(float("nan")).to_numpy().astype(np.float32).reshape(-1, 1)
    return ReferenceEvaluator(_load_model(spec)).run(["score"], feeds)[0][:, 0]


def _load_model(spec: dict) -> onnx.ModelProto:
    return onnx.load_model(Path(spec["outputFolder"]) / "model.onnx", load_external_data=False)


def _all_nodes(graph: onnx.GraphProto):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from _all_nodes(inner)


def _is_allowed(node: onnx.NodeProto) -> bool:
    return node.domain in _DOMAINS and node.op_type not in _FORBIDDEN


def _is_finite(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
