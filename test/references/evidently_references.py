"""Drift of every case by Evidently: its own choice of test and threshold, and each test that is asked for by name.

Usage: evidently_references.py <inputs> <fixtures>. Scores and verdicts are those of its drift calculation for one column, which its metric ValueDrift
shows with the score alone; the share of drifted columns is that of DriftedColumnsCount in the same report.
"""

import json
import math
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.data_drift import get_one_column_drift
from evidently.legacy.calculations.stattests.registry import get_registered_stattest
from evidently.legacy.core import ColumnType
from evidently.legacy.metric_results import DatasetColumns, DatasetUtilityColumns
from evidently.legacy.options.data_drift import DataDriftOptions
from evidently.metrics import DriftedColumnsCount, ValueDrift

warnings.filterwarnings("ignore")

KINDS = {"numeric": ColumnType.Numerical, "categorical": ColumnType.Categorical}
NAMED = {"numeric": ["ks", "wasserstein", "jensenshannon", "psi"], "categorical": ["chisquare", "z", "jensenshannon", "psi"]}
DISPLAYED = {get_registered_stattest(name, KINDS[kind]).display_name: name for kind, names in NAMED.items() for name in names}


def drift_of(reference: pd.DataFrame, current: pd.DataFrame, column: dict, method: str | None) -> dict:
    name, kind = column["name"], column["type"]
    columns = DatasetColumns(
        utility_columns=DatasetUtilityColumns(date=None, id=None, target=None, prediction=None),
        target_type=None,
        task=None,
        num_feature_names=[name] if kind == "numeric" else [],
        cat_feature_names=[name] if kind == "categorical" else [],
        text_feature_names=[],
        datetime_feature_names=[],
        target_names=None,
    )
    drift = get_one_column_drift(
        current_data=current, reference_data=reference, column_name=name, options=DataDriftOptions(all_features_stattest=method),
        dataset_columns=columns, column_type=KINDS[kind], agg_data=True,
    )
    score = float(drift.drift_score)
    return {
        "column": name,
        "method": DISPLAYED[drift.stattest_name],
        "score": None if math.isnan(score) else score,
        "threshold": float(drift.stattest_threshold),
        "drifted": bool(drift.drift_detected),
    }


def report_of(reference: pd.DataFrame, current: pd.DataFrame, columns: list[dict]) -> dict:
    """The public interface: a report of ValueDrift per column and DriftedColumnsCount."""
    definition = DataDefinition(
        numerical_columns=[column["name"] for column in columns if column["type"] == "numeric"],
        categorical_columns=[column["name"] for column in columns if column["type"] == "categorical"],
    )
    left, right = (Dataset.from_pandas(frame, data_definition=definition) for frame in (reference, current))
    metrics = [DriftedColumnsCount(), *[ValueDrift(column=column["name"]) for column in columns]]
    results = Report(metrics).run(right, left).dict()["metrics"]
    return {"count": results[0]["value"]["count"], "share": results[0]["value"]["share"], "scores": [float(result["value"]) for result in results[1:]]}


def results_of(case: Path) -> dict:
    columns = json.loads((case / "columns.json").read_text())
    reference, current = (pd.read_parquet(case / f"{side}.parquet") for side in ("reference", "current"))
    automatic = [drift_of(reference, current, column, None) for column in columns]
    named = {
        method: [drift_of(reference, current, column, method) for column in columns if method in NAMED[column["type"]]]
        for method in sorted({name for names in NAMED.values() for name in names})
    }
    report = report_of(reference, current, columns)
    different = [a["column"] for a, b in zip(automatic, report["scores"]) if a["score"] is not None and not math.isclose(a["score"], b, rel_tol=1e-12, abs_tol=1e-12)]
    if different:
        raise SystemExit(f"{case.name}: the report's scores of {different} are not those of the calculation")
    return {"rows": {"reference": len(reference), "current": len(current)}, "auto": automatic, "named": named, "drifted": {"count": int(report["count"]), "share": float(report["share"])}}


def main(inputs: Path, fixtures: Path) -> None:
    versions = {name: version(name) for name in ("evidently", "scipy", "numpy", "pandas", "statsmodels")}
    for case in sorted((inputs / "drift").iterdir()):
        result = {"versions": versions, **results_of(case)}
        (fixtures / f"{case.name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(f"  {case.name}: {result['drifted']['count']} of {len(result['auto'])} columns drifted")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
