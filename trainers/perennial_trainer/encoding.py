"""Categorical columns as numbers: the smoothed mean of the label over the training rows of a category (for classes: the share of positives).

`(sum of labels + smoothing * base) / (rows + smoothing)`, where base is the mean over all training rows. A category that
training did not see gets the base; a missing value is a category of its own ("") when training saw one.
"""

from dataclasses import dataclass

import numpy as np

from .dataset import Categories, Dataset
from .spec import Feature


@dataclass(frozen=True)
class CategoryEncoding:
    """Numbers of the known categories, and the number of any other; all are 32-bit floats, as in the ONNX graph."""

    values: tuple[str, ...]
    numbers: np.ndarray
    fallback: np.float32

    def apply(self, column: Categories) -> np.ndarray:
        known = dict(zip(self.values, self.numbers))
        return np.array([known.get(value, self.fallback) for value in column.values], dtype=np.float32)[column.codes]


def fit_encodings(dataset: Dataset, features: tuple[Feature, ...], smoothing: float) -> dict[str, CategoryEncoding]:
    label = dataset.label.astype(np.float64)
    base = float(label.mean())
    encodings = {}
    for feature in features:
        column = dataset.columns[feature.name]
        if isinstance(column, Categories):
            rows = np.bincount(column.codes, minlength=len(column.values))
            sums = np.bincount(column.codes, weights=label, minlength=len(column.values))
            numbers = ((sums + smoothing * base) / (rows + smoothing)).astype(np.float32)
            encodings[feature.name] = CategoryEncoding(column.values, numbers, np.float32(base))
    return encodings


def to_matrix(dataset: Dataset, features: tuple[Feature, ...], encodings: dict[str, CategoryEncoding]) -> np.ndarray:
    """Rows by features, float32, in the order of the declared features."""
    matrix = np.empty((dataset.rows, len(features)), dtype=np.float32)
    for index, feature in enumerate(features):
        column = dataset.columns[feature.name]
        matrix[:, index] = encodings[feature.name].apply(column) if isinstance(column, Categories) else column
    return matrix
