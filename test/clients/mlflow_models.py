"""Logs, registers and loads models with the unmodified MLflow client: `mlflow_models.py <scratch folder>`; prints one JSON object.

APPROVER_KEY is the key of a role that may set the alias `champion`. PIPELINE_MODEL names a model that a pipeline registered as version 1.
"""

import hashlib
import json
import logging
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import lightgbm
import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

logging.getLogger("mlflow").setLevel(logging.CRITICAL)
scratch = sys.argv[1]
client = MlflowClient()
is_3 = int(mlflow.__version__.split(".")[0]) >= 3
name = f"cancer-{mlflow.__version__.split('.')[0]}"
rows, labels = load_breast_cancer(return_X_y=True, as_frame=True)
rows = rows.iloc[:, :5]
mlflow.set_experiment(f"models of {mlflow.__version__}")
got = {"version": mlflow.__version__}


def code(act):
    try:
        act()
    except MlflowException as error:
        return error.error_code
    return None


def as_approver(act):
    own = os.environ["MLFLOW_TRACKING_PASSWORD"]
    os.environ["MLFLOW_TRACKING_PASSWORD"] = os.environ["APPROVER_KEY"]
    try:
        return act()
    finally:
        os.environ["MLFLOW_TRACKING_PASSWORD"] = own


def autolog():
    mlflow.sklearn.autolog(log_models=True, log_datasets=True)
    with mlflow.start_run(run_name="logistic"):
        LogisticRegression(max_iter=200).fit(rows, labels)
    mlflow.sklearn.autolog(disable=True)
    mlflow.lightgbm.autolog(log_models=False)
    with mlflow.start_run(run_name="trees"):
        train = lightgbm.Dataset(rows, labels)
        lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, train, num_boost_round=5, valid_sets=[train], valid_names=["train"])
    mlflow.lightgbm.autolog(disable=True)
    frame = mlflow.search_runs(order_by=["start_time ASC"]).set_index("tags.mlflow.runName")
    logistic, trees = frame.loc["logistic"], frame.loc["trees"]
    return {
        "status": [logistic.status, trees.status],
        "params": [logistic["params.max_iter"], trees["params.num_boost_round"]],
        "accuracy": bool(logistic["metrics.training_accuracy_score"] > 0.8),
        "history": len(client.get_metric_history(trees.run_id, "train-binary_logloss")),
        "inputs": len(client.get_run(logistic.run_id).inputs.dataset_inputs),
        "models": [model.name for model in client.search_logged_models([logistic.experiment_id])] if is_3 else json.loads(logistic["tags.mlflow.log-model.history"])[0]["artifact_path"],
    }


def registry():
    model = LogisticRegression(max_iter=200).fit(rows, labels)
    place = {"name": "model"} if is_3 else {"artifact_path": "model"}
    with mlflow.start_run(run_name="registered") as run:
        info = mlflow.sklearn.log_model(model, registered_model_name=name, input_example=rows.head(2), **place)
    second = mlflow.register_model(info.model_uri, name, tags={"how": "by hand"})
    client.update_registered_model(name, "predicts")
    client.update_model_version(name, "2", "the second")
    client.set_registered_model_tag(name, "team", "risk")
    client.set_model_version_tag(name, "1", "checked", "yes")
    client.set_model_version_tag(name, "1", "gone", "yes")
    client.delete_model_version_tag(name, "1", "gone")
    client.set_registered_model_alias(name, "challenger", 2)
    denied = code(lambda: client.set_registered_model_alias(name, "champion", 1))
    as_approver(lambda: client.set_registered_model_alias(name, "champion", 1))
    champion = mlflow.sklearn.load_model(f"models:/{name}@champion")
    pyfunc = mlflow.pyfunc.load_model(f"models:/{name}/2")
    read = client.get_registered_model(name)
    versions = client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])
    return {
        "second": [second.version, second.tags, second.status],
        "denied": denied,
        "same": bool(np.array_equal(champion.predict(rows), model.predict(rows)) and np.array_equal(pyfunc.predict(rows), model.predict(rows))),
        "read": [read.description, read.tags, read.aliases],
        "versions": [[v.version, v.tags, sorted(v.aliases or []), v.run_id == run.info.run_id, v.description] for v in versions],
        "by_alias": client.get_model_version_by_alias(name, "challenger").version,
        "by_tag": [v.version for v in client.search_model_versions("tags.checked = 'yes' and name LIKE 'cancer-%'") if v.name == name],
        "models": [m.name for m in client.search_registered_models(f"name = '{name}'", order_by=["name DESC"])],
        "absent": code(lambda: client.get_model_version_by_alias(name, "nobody")),
    }


def stages():
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    latest = {v.current_stage: v.version for v in client.get_latest_versions(name)}
    other = client.create_registered_model(f"{name}-other", tags={"a": "b"})
    copied = client.copy_model_version(f"models:/{name}/2", f"{name}-copy")
    loaded = mlflow.sklearn.load_model(f"models:/{name}-copy/{copied.version}")
    client.rename_registered_model(other.name, f"{name}-renamed")
    renamed = client.get_registered_model(f"{name}-renamed")
    client.delete_registered_model(renamed.name)
    client.delete_registered_model_alias(name, "challenger")
    client.delete_model_version(name, "2")
    return {
        "latest": latest,
        "copied": [copied.version, type(loaded).__name__],
        "renamed": [renamed.name, renamed.tags],
        "gone": code(lambda: client.get_registered_model(renamed.name)),
        "left": [v.version for v in client.search_model_versions(f"name = '{name}'")],
        "next": mlflow.register_model(client.get_model_version(name, "1").source, name, tags={"after": "the deletion"}).version,
    }


def logged_models():
    if not is_3:
        return None
    with mlflow.start_run(run_name="judge"):
        model = mlflow.initialize_logged_model(name="judged", params={"depth": "3"}, tags={"kind": "tree"})
        mlflow.log_metric("auc", 0.75, model_id=model.model_id)
    mlflow.finalize_logged_model(model.model_id, "READY")
    mlflow.set_logged_model_tags(model.model_id, {"more": "tags"})
    mlflow.delete_logged_model_tag(model.model_id, "kind")
    read = mlflow.get_logged_model(model.model_id)
    found = mlflow.search_logged_models(filter_string="metrics.auc > 0.5 AND params.depth = '3'", order_by=[{"field_name": "metrics.auc", "ascending": False}], output_format="list")
    client.delete_logged_model(model.model_id)
    return {
        "read": [read.name, read.status.value, read.params, read.tags, [[metric.key, metric.value] for metric in read.metrics]],
        "found": [one.name for one in found],
        "gone": code(lambda: client.get_logged_model(model.model_id)),
    }


def pipeline_model():
    named = os.environ["PIPELINE_MODEL"]
    version = client.get_model_version(named, "1")
    folder = mlflow.artifacts.download_artifacts(artifact_uri=client.get_model_version_download_uri(named, "1"), dst_path=scratch)
    described = mlflow.models.Model.load(folder)
    with open(os.path.join(folder, "model.onnx"), "rb") as file:
        sha256 = hashlib.sha256(file.read()).hexdigest()
    return {
        "sha256": sha256 == version.tags["perennial.sha256"],
        "flavors": sorted(described.flavors),
        "inputs": described.signature.inputs.input_names(),
        "kept": code(lambda: client.delete_model_version(named, "1")),
        "next": client.create_model_version(named, "s3://elsewhere/model").version,
    }


got["autolog"] = autolog()
got["registry"] = registry()
got["stages"] = stages()
got["logged_models"] = logged_models()
got["pipeline_model"] = pipeline_model()
print(json.dumps(got))
