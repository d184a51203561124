"""LightGBM: boosting with progress by round, checkpoints and resume."""

from dataclasses import dataclass
from typing import Callable

import lightgbm
import numpy as np

from .checkpoint import Checkpoint, fingerprint_of, read_checkpoint, write_checkpoint
from .dataset import Dataset, read_holdout, read_training
from .encoding import fit_encodings, to_matrix
from .errors import Interrupted, bad_spec
from .interruption import Interruption
from .onnx_graph import RAW_SCORE, ColumnStep, GraphBuilder, add_feature_matrix, finish_model
from .outputs import training_metrics, write_outputs
from .params import Param, read_params
from .progress import Progress
from .spec import OUTPUT_NAME, TrainSpec
from .tree_ensemble import add_tree_ensemble
from .validation import validation_of

# LightGBM's own names; the two in camel case are this trainer's.
PARAMS = {
    "num_iterations": Param("integer", 100, 1, 100_000),
    "learning_rate": Param("number", 0.1, 1e-6, 10),
    "num_leaves": Param("integer", 31, 2, 131_072),
    "max_depth": Param("integer", -1, -1, 10_000),
    "min_data_in_leaf": Param("integer", 20, 0),
    "min_sum_hessian_in_leaf": Param("number", 1e-3, 0),
    "min_gain_to_split": Param("number", 0.0, 0),
    "feature_fraction": Param("number", 1.0, 1e-6, 1),
    "bagging_fraction": Param("number", 1.0, 1e-6, 1),
    "bagging_freq": Param("integer", 0, 0),
    "lambda_l1": Param("number", 0.0, 0),
    "lambda_l2": Param("number", 0.0, 0),
    "max_bin": Param("integer", 255, 2, 65_535),
    "scale_pos_weight": Param("number", 1.0, 1e-6),
    "checkpointEvery": Param("integer", 10, 1),
    "categorySmoothing": Param("number", 20.0, 0),
}
# Of the training and holdout rows: a step that the ONNX graph puts after each column.
ColumnStepOf = Callable[[Dataset, Dataset], ColumnStep]

_HELD_OUT = "held out"
_OWN_PARAMS = ("num_iterations", "checkpointEvery", "categorySmoothing")
# By whether the task is a regression: objective, metric of a round, its name.
_OBJECTIVES = {False: ("binary", "binary_logloss", "trainLogLoss"), True: ("regression", "rmse", "trainRmse")}


@dataclass
class _Boosting:
    """One attempt: what its callback needs after every round."""

    spec: TrainSpec
    progress: Progress
    interruption: Interruption
    fingerprint: str
    total: int
    every: int
    resumed_from: list[str]
    saved: int = 0

    def after_round(self, state: lightgbm.callback.CallbackEnv) -> None:
        done = state.iteration + 1
        loss = float(state.evaluation_result_list[0][2])
        try:
            self.progress.step(done, self.total, {_OBJECTIVES[self.spec.is_regression][2]: loss} | self._validation(state))
            if done % self.every == 0 and done < self.total:
                self._save(state.model, done)
        except Interrupted:
            self._write(state.model, done)
            raise
        if self.interruption.requested:
            self._save(state.model, done)
            raise Interrupted("asked to stop")

    def _validation(self, state: lightgbm.callback.CallbackEnv) -> dict[str, float]:
        return {name: float(value) for part, name, value, _better in state.evaluation_result_list if part == _HELD_OUT and name == "validation" and np.isfinite(value)}

    def _save(self, booster: lightgbm.Booster, done: int) -> None:
        if self.saved < done:
            self.progress.checkpoint(str(self._write(booster, done)), done)
            self.saved = done

    def _write(self, booster: lightgbm.Booster, done: int):
        return write_checkpoint(self.spec.checkpoint_folder, self.fingerprint, booster.model_to_string(), done, self.resumed_from)


def _params_for(spec: TrainSpec) -> dict[str, Param]:
    return {name: param for name, param in PARAMS.items() if not (spec.is_regression and name == "scale_pos_weight")}


def _library_params(spec: TrainSpec, params: dict) -> dict:
    objective, metric, _name = _OBJECTIVES[spec.is_regression]
    fixed = {
        "objective": objective,
        "metric": metric,
        "seed": spec.seed,
        "num_threads": spec.threads,
        "deterministic": True,
        "force_row_wise": True,  # "deterministic" asks for a fixed choice: LightGBM else times both ways on the spot
        "verbosity": -1,
    }
    return {name: value for name, value in params.items() if name not in _OWN_PARAMS} | fixed


def _evaluation(spec: TrainSpec, held_out: lightgbm.Dataset | None) -> Callable | None:
    if held_out is None:
        return None

    def evaluate(scores: np.ndarray, rows: lightgbm.Dataset):
        value = validation_of(spec.report_metric, rows.get_label(), scores).get("validation", float("nan")) if rows is held_out else 0.0
        return "validation", value, False

    return evaluate


def _boost(
    boosting: _Boosting, params: dict, matrix: np.ndarray, label: np.ndarray, checkpoint: Checkpoint | None, judged: tuple[np.ndarray, np.ndarray] | None
) -> lightgbm.Booster:
    names = [f"f{index}" for index in range(matrix.shape[1])]  # LightGBM refuses some characters in real names
    library_params = _library_params(boosting.spec, params)
    training = lightgbm.Dataset(matrix, label, feature_name=names, params=library_params, free_raw_data=checkpoint is None)
    held_out = lightgbm.Dataset(judged[0], judged[1], reference=training, free_raw_data=checkpoint is None) if judged else None
    earlier = lightgbm.Booster(model_str=checkpoint.booster) if checkpoint else None
    remaining = boosting.total - (earlier.current_iteration() if earlier else 0)
    try:
        return lightgbm.train(
            library_params,
            training,
            remaining,
            valid_sets=[training] + ([held_out] if held_out else []),
            valid_names=["train"] + ([_HELD_OUT] if held_out else []),
            feval=_evaluation(boosting.spec, held_out),
            init_model=earlier,
            callbacks=[boosting.after_round],
        )
    except lightgbm.basic.LightGBMError as error:
        raise bad_spec(f"LightGBM refuses the parameters: {error}", "Correct train.params.") from error


def _to_onnx(spec: TrainSpec, encodings: dict, booster: lightgbm.Booster, column_step: ColumnStep | None) -> bytes:
    graph = GraphBuilder()
    add_feature_matrix(graph, spec.features, encodings, column_step)
    add_tree_ensemble(graph, booster.dump_model()["tree_info"])
    graph.node("Identity" if spec.is_regression else "Sigmoid", [RAW_SCORE], OUTPUT_NAME)
    return finish_model(graph, spec.features)


def train_lightgbm(spec: TrainSpec, progress: Progress, interruption: Interruption, column_step_of: ColumnStepOf | None = None) -> None:
    """Trains and writes the outputs."""
    params = read_params(spec.params, _params_for(spec))
    for name, value in params.items():
        progress.param(name, value)

    training, holdout = read_training(spec), read_holdout(spec)
    print(f"training on {training.rows} rows with {len(spec.features)} features, {params['num_iterations']} rounds", flush=True)
    encodings = fit_encodings(training, spec.features, params["categorySmoothing"])
    matrix = to_matrix(training, spec.features, encodings)

    fingerprint = fingerprint_of(spec, params)
    checkpoint = read_checkpoint(spec.resume_from, fingerprint) if spec.resume_from else None
    resumed_from = checkpoint.resumed_from if checkpoint else []
    total = params["num_iterations"]
    boosting = _Boosting(spec, progress, interruption, fingerprint, total, params["checkpointEvery"], resumed_from, checkpoint.done if checkpoint else 0)
    interruption.defer()
    held_out = to_matrix(holdout, spec.features, encodings)
    booster = _boost(boosting, params, matrix, training.label, checkpoint, (held_out, holdout.label) if spec.report_metric else None)

    metrics = training_metrics(spec, training.label, booster.predict(matrix, num_threads=spec.threads))
    for name, value in metrics.items():
        progress.metric(name, value, total)
    scores = booster.predict(held_out, num_threads=spec.threads)
    gain = booster.feature_importance(importance_type="gain")
    importance = {feature.name: float(value) for feature, value in zip(spec.features, gain)}
    model = _to_onnx(spec, encodings, booster, column_step_of(training, holdout) if column_step_of else None)
    write_outputs(spec, model, scores, metrics, importance, booster.num_trees(), training.rows, resumed_from)
    print(f"wrote a model of {booster.num_trees()} trees, {len(model)} bytes", flush=True)
