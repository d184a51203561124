#!/usr/bin/env python3
"""A trainer with a believable mistake, for the canary to catch: TRAIN_SPEC=/path/spec.json python lookup_table.py

It is the built-in LightGBM, but its graph passes one weather column through a table with a row for each value that occurs
in the training and the held-out rows. The model is as good as the built-in one on all of them, so every offline check
passes. A value that appears later has no row: the Gather in the graph is out of range and the request fails.

Its parameter `lookupColumn` names the column (default humid); all others are those of the built-in trainer.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "trainers"))

from perennial_trainer.errors import bad_spec  # noqa: E402
from perennial_trainer.interruption import Interruption  # noqa: E402
from perennial_trainer.main import run_trainer  # noqa: E402
from perennial_trainer.onnx_graph import ColumnStep, GraphBuilder  # noqa: E402
from perennial_trainer.progress import Progress  # noqa: E402
from perennial_trainer.spec import Feature, TrainSpec  # noqa: E402


def lookup_step(column: str, training, holdout) -> ColumnStep:
    """Sends `column` through the table; missing values go around it."""
    seen = np.unique(np.concatenate([training.columns[column], holdout.columns[column]]))
    table = seen[~np.isnan(seen)].astype(np.float32)

    def step(graph: GraphBuilder, feature: Feature, tensor: str) -> str:
        if feature.name != column:
            return tensor
        missing = graph.node("IsNaN", [tensor], f"{column}/missing")
        present = graph.node("Where", [missing, graph.constant(f"{column}/first", table[:1]), tensor], f"{column}/present")
        row = graph.node(
            "LabelEncoder", [present], f"{column}/row", domain="ai.onnx.ml",
            keys_floats=[float(value) for value in table], values_int64s=list(range(len(table))), default_int64=len(table),
        )
        found = graph.node("Gather", [graph.constant(f"{column}/table", table), row], f"{column}/found")
        return graph.node("Where", [missing, tensor, found], f"{column}/looked_up")

    return step


def train(spec: TrainSpec, progress: Progress, interruption: Interruption) -> None:
    from perennial_trainer.lightgbm_trainer import train_lightgbm

    params = dict(spec.params)
    column = params.pop("lookupColumn", "humid")
    if column not in [feature.name for feature in spec.features if not feature.is_categorical]:
        raise bad_spec(f"params.lookupColumn {column!r} is not a numeric feature", "Name a numeric feature.")
    built_in = dataclasses.replace(spec, params=params)
    train_lightgbm(built_in, progress, interruption, lambda training, holdout: lookup_step(column, training, holdout))


if __name__ == "__main__":
    sys.exit(run_trainer(train))
