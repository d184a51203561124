"""A fitted scikit-learn estimator as nodes of our graph, by skl2onnx."""

import numpy as np
import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from .onnx_graph import CORE_OPSET, MATRIX, ML_OPSET, GraphBuilder
from .spec import OUTPUT_NAME, TrainSpec

_PREFIX = "model/"


def add_estimator(graph: GraphBuilder, estimator, spec: TrainSpec) -> None:
    """Adds the estimator over the feature matrix; `score` is its number, or its probability of the positive class."""
    converted = convert_sklearn(
        estimator,
        initial_types=[("matrix", FloatTensorType([None, len(spec.features)]))],
        final_types=None,
        options=None if spec.is_regression else {"zipmap": False},
        target_opset={"": CORE_OPSET, "ai.onnx.ml": ML_OPSET},
    ).graph
    predicted = converted.output[0 if spec.is_regression else 1].name
    names = {"matrix": MATRIX}
    rename = lambda name: names.get(name, _PREFIX + name) if name else ""  # noqa: E731
    for constant in converted.initializer:
        constant.name = rename(constant.name)
        graph.constants.append(constant)
    for node in _needed_nodes(list(converted.node), predicted):
        node.input[:] = [rename(name) for name in node.input]
        node.output[:] = [rename(name) for name in node.output]
        node.name = node.output[0]
        graph.nodes.append(node)
    used = {name for node in graph.nodes for name in node.input}
    graph.constants = [constant for constant in graph.constants if constant.name in used]
    if spec.is_regression:
        graph.node("Reshape", [rename(predicted), graph.constant("model/one_column", np.array([-1, 1], dtype=np.int64))], OUTPUT_NAME)
        return
    column = graph.constant("model/positive_class", np.array([1], dtype=np.int64))
    graph.node("Gather", [rename(predicted), column], OUTPUT_NAME, axis=1)


def _needed_nodes(nodes: list[onnx.NodeProto], output: str) -> list[onnx.NodeProto]:
    """Without the nodes that only make the predicted class, which nobody asks for."""
    needed, kept = {output}, []
    for node in reversed(nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    return kept[::-1]
