"""LightGBM's trees as an ONNX TreeEnsembleRegressor.

A threshold becomes the largest 32-bit float that is not above it: for every 32-bit value, `x <= threshold` is then the
same question in both. Rounding to the nearest float would send some rows the other way.
"""

import numpy as np

from .onnx_graph import MATRIX, RAW_SCORE, GraphBuilder

_LARGEST = np.finfo(np.float32).max


def float_not_above(threshold: float) -> float:
    if threshold >= _LARGEST:
        return float(_LARGEST)
    rounded = np.float32(threshold)
    return float(rounded if float(rounded) <= threshold else np.nextafter(rounded, np.float32(-np.inf)))


def _missing_goes_left(node: dict) -> int:
    if node["missing_type"] == "None":
        # Training saw no missing value at this feature: LightGBM then reads NaN as zero.
        return int(0.0 <= node["threshold"])
    return int(node["default_left"])


class _Trees:
    """The node and leaf attributes of the operator, filled tree by tree."""

    def __init__(self) -> None:
        self.nodes: dict[str, list] = {
            name: [] for name in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true")
        }
        self.leaves: dict[str, list] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}

    def add(self, tree_id: int, root: dict) -> None:
        """Numbers the nodes in the order in which they are met; a stack, as trees may be deeper than Python's recursion."""
        waiting, count = [(0, root)], 1
        while waiting:
            node_id, node = waiting.pop()
            if "leaf_value" in node:
                self._add_node(tree_id, node_id, 0, "LEAF", 0.0, 0, 0, 0)
                for name, value in (("treeids", tree_id), ("nodeids", node_id), ("ids", 0), ("weights", float(node["leaf_value"]))):
                    self.leaves[name].append(value)
                continue
            if node["decision_type"] != "<=":
                raise ValueError(f"a split by {node['decision_type']} is not expected: all columns are numbers")
            left, right = count, count + 1
            count += 2
            threshold = float_not_above(float(node["threshold"]))
            self._add_node(tree_id, node_id, node["split_feature"], "BRANCH_LEQ", threshold, left, right, _missing_goes_left(node))
            waiting += [(right, node["right_child"]), (left, node["left_child"])]

    def _add_node(self, *values) -> None:
        names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true")
        for name, value in zip(names, values, strict=True):
            self.nodes[name].append(value)


def add_tree_ensemble(graph: GraphBuilder, trees: list[dict]) -> None:
    """Adds the sum of the trees over the feature matrix; `trees` is `tree_info` of LightGBM's dump_model."""
    ensemble = _Trees()
    for tree_id, tree in enumerate(trees):
        ensemble.add(tree_id, tree["tree_structure"])
    attributes = {f"nodes_{name}": values for name, values in ensemble.nodes.items()}
    attributes |= {f"target_{name}": values for name, values in ensemble.leaves.items()}
    graph.node("TreeEnsembleRegressor", [MATRIX], RAW_SCORE, domain="ai.onnx.ml", n_targets=1, aggregate_function="SUM", post_transform="NONE", **attributes)
