"""The metric of the held-out rows that a trial of a search reports while it is fitted. Nothing is learned from it here."""

from typing import Callable

import numpy as np
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score

Metric = Callable[[np.ndarray, np.ndarray], float]

METRICS: dict[str, Metric] = {
    "rocAuc": roc_auc_score,
    "logLoss": lambda label, score: log_loss(label, score, labels=[0, 1]),
    "brier": brier_score_loss,
    "accuracy": lambda label, score: accuracy_score(label, score >= 0.5),
    "rmse": lambda label, score: np.sqrt(mean_squared_error(label, score)),
    "mae": mean_absolute_error,
    "r2": r2_score,
}


def validation_of(metric: str, label: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """The metric for a progress line; empty where it is not a finite number."""
    value = float(METRICS[metric](label, score))
    return {"validation": value} if np.isfinite(value) else {}
