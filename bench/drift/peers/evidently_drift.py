"""Evidently's default tests over two Parquet files: from the files to the scores, one JSON line.

Usage: evidently_drift.py <reference> <current> <columns as JSON>. ValueDrift per column is the least that gives every score; the preset
DataDriftPreset computes all of them twice.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

warnings.filterwarnings("ignore")


def main(reference_file: str, current_file: str, columns: list[dict]) -> None:
    started, cpu = time.monotonic(), time.process_time()
    definition = DataDefinition(
        numerical_columns=[column["name"] for column in columns if column["type"] == "numeric"],
        categorical_columns=[column["name"] for column in columns if column["type"] == "categorical"],
    )
    current, reference = (Dataset.from_pandas(pd.read_parquet(file), data_definition=definition) for file in (current_file, reference_file))
    results = Report([ValueDrift(column=column["name"]) for column in columns]).run(current, reference).dict()["metrics"]
    scores = {column["name"]: float(result["value"]) for column, result in zip(columns, results)}
    print(json.dumps({"seconds": time.monotonic() - started, "cpuSeconds": time.process_time() - cpu, "scores": scores, "version": version("evidently")}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
