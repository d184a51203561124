"""Uses a tracking server with the unmodified MLflow client: `mlflow_tracking.py <scratch folder>`; prints one JSON object of what it got.

The server and its key come from MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
"""

import json
import logging
import math
import os
import sys

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

logging.getLogger("mlflow").setLevel(logging.ERROR)
scratch = sys.argv[1]
client = MlflowClient()
flights = f"flights of {mlflow.__version__}"
got = {"version": mlflow.__version__}


def code(act):
    try:
        act()
    except MlflowException as error:
        return error.error_code
    return None


def experiments():
    first = mlflow.set_experiment(flights)
    again = mlflow.set_experiment(flights)
    other = client.create_experiment(f"other {flights}", tags={"team": "risk"})
    client.set_experiment_tag(other, "stage", "dev")
    client.rename_experiment(other, f"renamed {flights}")
    client.delete_experiment(other)
    deleted = [e.name.split()[0] for e in client.search_experiments(view_type=2) if flights in e.name]
    client.restore_experiment(other)
    found = client.search_experiments(filter_string=f"tags.team = 'risk' AND name ILIKE 'REN%{flights}'", order_by=["name ASC"])
    return {
        "same": first.experiment_id == again.experiment_id,
        "location": first.artifact_location == f"mlflow-artifacts:/{first.experiment_id}",
        "deleted": deleted,
        "found": [[e.name.split()[0], e.tags] for e in found],
        "default": client.get_experiment("0").name,
        "duplicate": code(lambda: client.create_experiment(f"renamed {flights}")),
        "absent": client.get_experiment_by_name("nothing") is None,
    }


def run():
    with mlflow.start_run(run_name="first", tags={"team": "risk"}, description="words") as active:
        run_id = active.info.run_id
        mlflow.log_param("depth", 3)
        mlflow.log_params({"model": "tree", "rate": 0.1})
        for step in range(5):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.75, "odd": math.nan, "top": math.inf})
        mlflow.set_tags({"a b/c": "ü", "long": "x" * 4000})
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": 1}, "conf.json")
        mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]}), name="two-rows"), context="training")
        mlflow.log_table({"q": ["a"], "n": [1]}, "table.json")
        changed = code(lambda: client.log_param(run_id, "depth", "4"))
    client.set_tag(run_id, "gone", "1")
    client.delete_tag(run_id, "gone")
    client.log_batch(run_id, [Metric("batch", value, 1700000000000 + value, value) for value in range(1000)], [], [RunTag("batched", "yes")])
    client.log_batch(run_id, [Metric("batch", value, 1700000000000 + value, value) for value in range(500)], [Param("depth", "3")], [])
    read = client.get_run(run_id)
    history = client.get_metric_history(run_id, "batch")
    return {
        "status": read.info.status,
        "name": read.info.run_name,
        "user": read.data.tags["mlflow.user"] == read.info.user_id,
        "params": read.data.params,
        "metrics": {key: str(value) for key, value in read.data.metrics.items()},
        "tags": {key: len(value) for key, value in read.data.tags.items() if not key.startswith("mlflow.")},
        "note": read.data.tags["mlflow.note.content"],
        "loss": [metric.value for metric in client.get_metric_history(run_id, "loss")],
        "points": [len(history), history[0].step, history[-1].step],
        "changed": changed,
        "inputs": [[one.dataset.name, one.tags[0].value] for one in read.inputs.dataset_inputs],
        "ended": read.info.end_time >= read.info.start_time,
    }


def artifacts():
    run_id = mlflow.search_runs(experiment_names=[flights], filter_string="attributes.run_name = 'first'").iloc[0].run_id
    large = os.path.join(scratch, "large.bin")
    with open(large, "wb") as file:
        file.write(os.urandom(12_000_000))
    client.log_artifact(run_id, large, "weights/of a model")
    back = client.download_artifacts(run_id, "weights", scratch) if hasattr(client, "download_artifacts") else None
    same = open(os.path.join(back, "of a model", "large.bin"), "rb").read() == open(large, "rb").read()
    listed = [[item.path, item.is_dir, item.file_size] for item in client.list_artifacts(run_id)]
    inside = [[item.path, item.is_dir] for item in client.list_artifacts(run_id, "weights")]
    root = client.get_run(run_id).info.artifact_uri
    mlflow.artifacts.download_artifacts(f"{root}/notes/hello.txt", dst_path=scratch)
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(root).delete_artifacts("weights")
    return {
        "same": same,
        "listed": listed,
        "inside": inside,
        "text": mlflow.artifacts.load_text(f"{root}/notes/hello.txt"),
        "dict": mlflow.artifacts.load_dict(f"{root}/conf.json"),
        "table": mlflow.load_table("table.json", run_ids=[run_id]).to_dict("records"),
        "after": [item.path for item in client.list_artifacts(run_id, "weights")],
    }


def resume():
    with mlflow.start_run(run_name="parent") as parent:
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("score", 0.5)
    with mlflow.start_run(run_id=parent.info.run_id):
        mlflow.log_metric("late", 1)
        during = client.get_run(parent.info.run_id).info.status
    client.set_terminated(child.info.run_id, "KILLED")
    client.delete_run(child.info.run_id)
    refused = code(lambda: client.log_metric(child.info.run_id, "score", 1))
    deleted = [r.info.run_name for r in client.search_runs([parent.info.experiment_id], run_view_type=2)]
    client.restore_run(child.info.run_id)
    children = client.search_runs([parent.info.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    try:
        with mlflow.start_run(run_name="broken"):
            raise RuntimeError("the trainer fails")
    except RuntimeError:
        pass
    broken = client.search_runs([parent.info.experiment_id], "attributes.status = 'FAILED'")
    return {"during": during, "refused": refused, "deleted": deleted, "children": [[r.info.run_name, r.info.status] for r in children], "failed": [r.info.run_name for r in broken]}


def search():
    experiment = client.create_experiment(f"search {flights}")
    for number in range(12):
        run = client.create_run(experiment, run_name=f"run-{number}", start_time=1700000000000 + number)
        metrics = [Metric("auc", number / 10 if number != 7 else math.nan, 1, 0)]
        params = [Param("model", "tree" if number % 2 else "line")] + ([Param("extra", "yes")] if number < 3 else [])
        client.log_batch(run.info.run_id, metrics, params, [RunTag("team", f"Team {number % 3}")])
        if number == 4:
            client.set_terminated(run.info.run_id)

    def names(filter_string="", **options):
        return [int(r.info.run_name.split("-")[1]) for r in client.search_runs([experiment], filter_string, **options)]

    pages, token = [], None
    while True:
        page = client.search_runs([experiment], order_by=["metrics.auc DESC"], max_results=5, page_token=token)
        pages.append([int(r.info.run_name.split("-")[1]) for r in page])
        token = page.token
        if not token:
            break
    return {
        "all": names(),
        "and": names("metrics.auc >= 0.5 and params.model = 'tree'"),
        "like": names("tags.team ILIKE 'TEAM %' AND tags.`team` != 'Team 1' and params.\"model\" LIKE 'li%'"),
        "null": names("params.extra IS NOT NULL", order_by=["start_time ASC"]),
        "absent": names("params.extra IS NULL and metrics.auc < 0.5"),
        "status": names("status = 'FINISHED'"),
        "name": names("attributes.run_name IN ('run-1', 'run-2')"),
        "time": names("attributes.start_time > 1700000000009"),
        "or": names("metrics.auc > 1.0 or (params.extra = 'yes' and tags.team = 'Team 0')"),
        "pages": pages,
        "frame": mlflow.search_runs([experiment], "metrics.auc > 0.9", order_by=["metrics.auc"]).loc[:, ["metrics.auc", "params.model", "tags.team"]].values.tolist(),
        "refused": [code(lambda text=text: names(text)) for text in ["metrics.auc > 'x'", "auc >", "foo.bar = 'x'", "metrics.auc > 1 and", "params.a = 3", "a' or 1=1 --"]],
    }


got["experiments"] = experiments()
got["run"] = run()
got["artifacts"] = artifacts()
got["resume"] = resume()
got["search"] = search()
print(json.dumps(got))
