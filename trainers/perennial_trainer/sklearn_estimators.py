"""The scikit-learn estimators on offer, each fitted in steps so that it shows progress.

Linear models and forests need whole rows: a missing number becomes the column's training mean, inside the model and so
inside the ONNX graph. Histogram gradient boosting handles missing numbers itself.
"""

from typing import Any, Callable, Iterator

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from .params import Param
from .spec import TrainSpec

_SMOOTHING = {"categorySmoothing": Param("number", 20.0, 0)}
# scikit-learn's own names; estimator and categorySmoothing are this trainer's.
PARAMS = {
    "logisticRegression": {"C": Param("number", 1.0, 1e-9), "max_iter": Param("integer", 200, 1, 100_000)} | _SMOOTHING,
    "ridge": {"alpha": Param("number", 1.0, 0)} | _SMOOTHING,
    "randomForest": {
        "n_estimators": Param("integer", 100, 1, 10_000),
        "max_depth": Param("integer", 12, 1, 64),
        "min_samples_leaf": Param("integer", 20, 1),
    }
    | _SMOOTHING,
    "histGradientBoosting": {
        "max_iter": Param("integer", 100, 1, 10_000),
        "learning_rate": Param("number", 0.1, 1e-6, 10),
        "max_leaf_nodes": Param("integer", 31, 2, 65_535),
        "min_samples_leaf": Param("integer", 20, 1),
        "l2_regularization": Param("number", 0.0, 0),
    }
    | _SMOOTHING,
}
_STEPS = 10

Fitted = tuple[int, int, Any]


def _boundaries(total: int) -> list[int]:
    """Where to report: at most ten equal steps that end at `total`."""
    return sorted({-(-total * step // _STEPS) for step in range(1, _STEPS + 1)})


def _linear(model: Any) -> Pipeline:
    return Pipeline([("impute", SimpleImputer(strategy="mean", keep_empty_features=True)), ("scale", StandardScaler()), ("predict", model)])


def fit_logistic_regression(spec: TrainSpec, params: dict, matrix: np.ndarray, label: np.ndarray) -> Iterator[Fitted]:
    model = LogisticRegression(C=params["C"], max_iter=params["max_iter"], random_state=spec.seed)
    yield 1, 1, _linear(model).fit(matrix, label)


def fit_ridge(_spec: TrainSpec, params: dict, matrix: np.ndarray, label: np.ndarray) -> Iterator[Fitted]:
    yield 1, 1, _linear(Ridge(alpha=params["alpha"])).fit(matrix, label)


def fit_random_forest(spec: TrainSpec, params: dict, matrix: np.ndarray, label: np.ndarray) -> Iterator[Fitted]:
    imputer = SimpleImputer(strategy="mean", keep_empty_features=True).fit(matrix)
    complete = imputer.transform(matrix)
    forest = (RandomForestRegressor if spec.is_regression else RandomForestClassifier)(
        n_estimators=1,
        max_depth=params["max_depth"],
        min_samples_leaf=params["min_samples_leaf"],
        random_state=spec.seed,
        n_jobs=spec.threads,
        warm_start=True,
    )
    for done in _boundaries(params["n_estimators"]):
        forest.set_params(n_estimators=done, n_jobs=spec.threads).fit(complete, label)
        # Threads add the trees' votes in the order in which they finish: one thread gives the same sum each time.
        forest.set_params(n_jobs=1)
        yield done, params["n_estimators"], Pipeline([("impute", imputer), ("predict", forest)])


def fit_hist_gradient_boosting(spec: TrainSpec, params: dict, matrix: np.ndarray, label: np.ndarray) -> Iterator[Fitted]:
    model = (HistGradientBoostingRegressor if spec.is_regression else HistGradientBoostingClassifier)(
        learning_rate=params["learning_rate"],
        max_leaf_nodes=params["max_leaf_nodes"],
        min_samples_leaf=params["min_samples_leaf"],
        l2_regularization=params["l2_regularization"],
        early_stopping=False,
        warm_start=True,
        random_state=spec.seed,
    )
    for done in _boundaries(params["max_iter"]):
        yield done, params["max_iter"], model.set_params(max_iter=done).fit(matrix, label)


# By estimator and whether the task is a regression.
FITTERS: dict[tuple[str, bool], Callable[..., Iterator[Fitted]]] = {
    ("logisticRegression", False): fit_logistic_regression,
    ("ridge", True): fit_ridge,
    ("randomForest", False): fit_random_forest,
    ("randomForest", True): fit_random_forest,
    ("histGradientBoosting", False): fit_hist_gradient_boosting,
    ("histGradientBoosting", True): fit_hist_gradient_boosting,
}
