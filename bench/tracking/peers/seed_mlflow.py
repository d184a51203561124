"""Fills MLflow's own database through its own store: `seed_mlflow.py <database address> <artifact folder> <runs>`; prints the id of the experiment.

The same runs as seed-runs.ts makes: 20 metrics each, one param.
"""

import sys

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

address, artifacts, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SqlAlchemyStore(address, artifacts)
experiment = store.create_experiment("seeded")
METRICS = 20
START = 1_700_000_000_000


def value(run, metric):
    return ((run * 7919 + metric * 104729) % 10007) / 10007


def rows(first, last):
    for run in range(first, last):
        run_id = f"{run:032x}"
        yield run, run_id


with store.ManagedSessionMaker() as session:
    for first in range(0, runs, 1000):
        batch = list(rows(first, min(first + 1000, runs)))
        session.bulk_insert_mappings(
            SqlRun,
            [
                {"run_uuid": run_id, "name": f"run-{run}", "user_id": "bench", "status": "FINISHED", "start_time": START + run, "end_time": START + run, "lifecycle_stage": "active", "artifact_uri": "x", "experiment_id": int(experiment)}
                for run, run_id in batch
            ],
        )
        points = [
            {"run_uuid": run_id, "key": f"m{metric}", "value": value(run, metric), "timestamp": START, "step": 0, "is_nan": False} for run, run_id in batch for metric in range(METRICS)
        ]
        session.bulk_insert_mappings(SqlMetric, points)
        session.bulk_insert_mappings(SqlLatestMetric, points)
        session.bulk_insert_mappings(SqlParam, [{"run_uuid": run_id, "key": "model", "value": "tree" if run % 3 == 0 else "line"} for run, run_id in batch])
        session.bulk_insert_mappings(SqlTag, [{"run_uuid": run_id, "key": "mlflow.runName", "value": f"run-{run}"} for run, run_id in batch])
print(experiment)
