"""scikit-learn: `params.estimator` chooses one. It has no checkpoints, since its models can only be pickled: asked to stop,
it ends at once and a retry starts anew."""

import numpy as np

from .dataset import read_holdout, read_training
from .encoding import fit_encodings, to_matrix
from .errors import bad_spec
from .interruption import Interruption
from .json_schema import nearest
from .onnx_graph import GraphBuilder, add_feature_matrix, finish_model
from .outputs import training_metrics, write_outputs
from .params import read_params
from .progress import Progress
from .sklearn_estimators import FITTERS, PARAMS
from .sklearn_graph import add_estimator
from .spec import TrainSpec
from .validation import validation_of


def _importance(model, spec: TrainSpec) -> dict[str, float]:
    last = model[-1] if hasattr(model, "steps") else model
    if hasattr(last, "feature_importances_"):
        values = last.feature_importances_
    elif hasattr(last, "coef_"):
        values = np.abs(np.ravel(last.coef_))
    else:
        return {}
    return {feature.name: float(value) for feature, value in zip(spec.features, values)}


def _estimator_of(spec: TrainSpec) -> tuple[str, dict]:
    given = dict(spec.params)
    name = given.pop("estimator", "histGradientBoosting")
    fitting = [known for known, regression in FITTERS if regression == spec.is_regression]
    if name not in fitting:
        raise bad_spec(f"params.estimator {name!r} is not known for {spec.task}{nearest(str(name), fitting)}", f"Use one of {', '.join(fitting)}.")
    return name, read_params(given, PARAMS[name])


def train_sklearn(spec: TrainSpec, progress: Progress, _interruption: Interruption) -> None:
    """Trains and writes the outputs."""
    name, params = _estimator_of(spec)
    if spec.resume_from:
        raise bad_spec("the sklearn trainer writes no checkpoints, so it cannot resume from one", "Give resumeFrom null.")
    for key, value in {"estimator": name, **params}.items():
        progress.param(key, value)

    training, holdout = read_training(spec), read_holdout(spec)
    print(f"training {name} on {training.rows} rows with {len(spec.features)} features", flush=True)
    encodings = fit_encodings(training, spec.features, params["categorySmoothing"])
    matrix = to_matrix(training, spec.features, encodings)
    held_out = to_matrix(holdout, spec.features, encodings)

    def predict(rows: np.ndarray) -> np.ndarray:
        return model.predict(rows) if spec.is_regression else model.predict_proba(rows)[:, 1]

    for done, total, model in FITTERS[name, spec.is_regression](spec, params, matrix, training.label):
        progress.step(done, total, validation_of(spec.report_metric, holdout.label, predict(held_out)) if spec.report_metric else {})

    metrics = training_metrics(spec, training.label, predict(matrix))
    for key, value in metrics.items():
        progress.metric(key, value, total)
    scores = predict(held_out)
    graph = GraphBuilder()
    add_feature_matrix(graph, spec.features, encodings, None)
    add_estimator(graph, model, spec)
    content = finish_model(graph, spec.features)
    write_outputs(spec, content, scores, metrics, _importance(model, spec), total, training.rows, [])
    print(f"wrote a model of {len(content)} bytes", flush=True)
