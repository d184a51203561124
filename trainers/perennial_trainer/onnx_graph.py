"""The ONNX graph around a model: one named input [N, 1] per feature, categories encoded inside, one output `score` [N, 1].

Everything in the file is fixed (names, order, versions, producer), so the same training gives the same bytes.
Names of inner tensors contain "/", which no column name may, so they never meet the name of a feature.
"""

from typing import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .encoding import CategoryEncoding
from .spec import OUTPUT_NAME, Feature

CORE_OPSET = 17
ML_OPSET = 3
IR_VERSION = 8
MATRIX = "features/matrix"
RAW_SCORE = "model/score"

ColumnStep = Callable[["GraphBuilder", Feature, str], str]


class GraphBuilder:
    """Collects nodes and constants in order."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name


def add_feature_matrix(
    graph: GraphBuilder, features: tuple[Feature, ...], encodings: dict[str, CategoryEncoding], column_step: ColumnStep | None
) -> None:
    """Inputs to one float matrix. `column_step` may put steps of its own after a column and returns the tensor to go on with."""
    tensors = []
    for feature in features:
        tensor = feature.name
        if feature.is_categorical:
            tensor = _add_encoder(graph, feature.name, encodings[feature.name])
        tensors.append(column_step(graph, feature, tensor) if column_step else tensor)
    graph.node("Concat", tensors, MATRIX, axis=1)


def _add_encoder(graph: GraphBuilder, name: str, encoding: CategoryEncoding) -> str:
    return graph.node(
        "LabelEncoder",
        [name],
        f"{name}/encoded",
        domain="ai.onnx.ml",
        keys_strings=list(encoding.values),
        values_floats=[float(number) for number in encoding.numbers],
        default_float=float(encoding.fallback),
    )


def finish_model(graph: GraphBuilder, features: tuple[Feature, ...]) -> bytes:
    """The model file; the graph must already make `score`."""
    inputs = [
        helper.make_tensor_value_info(feature.name, TensorProto.STRING if feature.is_categorical else TensorProto.FLOAT, ["N", 1])
        for feature in features
    ]
    outputs = [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", 1])]
    body = helper.make_graph(graph.nodes, "perennial", inputs, outputs, initializer=graph.constants)
    opsets = [helper.make_opsetid("", CORE_OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="perennial", producer_version="1")
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
