"""Evidently's default tests over two Parquet files: from the files to the scores, one JSON line.

Usage: evidently_drift.py <reference> <current> <columns as JSON> <preset or values>. `preset` is DataDriftPreset, the drift report of its
guide: every score and the share of drifted columns, which is what we compute too. `values` is ValueDrift alone, the least that gives the scores.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")


def main(reference_file: str, current_file: str, columns: list[dict], what: str) -> None:
    started, cpu = time.monotonic(), time.process_time()
    definition = DataDefinition(
        numerical_columns=[column["name"] for column in columns if column["type"] == "numeric"],
        categorical_columns=[column["name"] for column in columns if column["type"] == "categorical"],
    )
    current, reference = (Dataset.from_pandas(pd.read_parquet(file), data_definition=definition) for file in (current_file, reference_file))
    names = [column["name"] for column in columns]
    metrics = [DataDriftPreset(columns=names)] if what == "preset" else [ValueDrift(column=name) for name in names]
    # The preset's first result is the share of drifted columns.
    results = Report(metrics).run(current, reference).dict()["metrics"][-len(names) :]
    scores = {column["name"]: float(result["value"]) for column, result in zip(columns, results)}
    print(json.dumps({"seconds": time.monotonic() - started, "cpuSeconds": time.process_time() - cpu, "scores": scores, "version": version("evidently")}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])
