"""Rows of Parquet files as the columns that a model sees.

Numeric columns are cast to 32-bit floats here, before anything is learned from them: serving sends the same floats, so
training on 64-bit ones would put some rows on the other side of a threshold. Missing is NaN in a numeric column and the
empty string in a categorical one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from .errors import EXIT_NO_INPUT, TrainerError
from .json_schema import nearest
from .spec import Feature, TrainSpec

MISSING_CATEGORY = ""

LabelOf = Callable[[pa.ChunkedArray, str], np.ndarray]


@dataclass(frozen=True)
class Categories:
    """A categorical column: the sorted values and, for each row, the index of its value."""

    values: tuple[str, ...]
    codes: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """`columns` by feature name: float32 arrays or Categories. `label` is int8 of 0 and 1, or float64 for a regression; None where it was not asked for."""

    rows: int
    columns: dict[str, np.ndarray | Categories]
    label: np.ndarray | None


def read_training(spec: TrainSpec) -> Dataset:
    """The training rows with their label, as the task needs it."""
    return _read_dataset(spec.train, spec.features, spec.label, _number_label if spec.is_regression else _class_label)


def read_holdout(spec: TrainSpec) -> Dataset:
    """The held-out rows; their label is none of a trainer's business, unless its progress is to tell a metric of them."""
    if spec.report_metric is None:
        return _read_dataset(spec.holdout, spec.features, None, None)
    return _read_dataset(spec.holdout, spec.features, spec.label, _number_label if spec.is_regression else _class_label)


def _read_dataset(paths: tuple[Path, ...], features: tuple[Feature, ...], label: str | None, label_of: LabelOf | None) -> Dataset:
    names = [feature.name for feature in features] + ([label] if label else [])
    table = pa.concat_tables([_read_file(path, names, label) for path in paths], promote_options="permissive")
    if table.num_rows == 0:
        raise TrainerError("SplitEmpty", f"there are no rows in {', '.join(path.name for path in paths)}", "Choose a window that holds data.")
    columns = {feature.name: _feature_column(table[feature.name], feature) for feature in features}
    return Dataset(table.num_rows, columns, label_of(table[label], label) if label_of else None)


def _read_file(path: Path, names: list[str], label: str | None) -> pa.Table:
    try:
        present = parquet.read_schema(path).names
        absent = [name for name in names if name not in present]
        if not absent:
            return parquet.read_table(path, columns=names)
    except (OSError, pa.ArrowException) as error:
        raise TrainerError("SourceCorrupt", f"{path.name} cannot be read: {error}", "Give a readable Parquet file.", EXIT_NO_INPUT) from error
    if label in absent:
        raise TrainerError("LabelInvalid", f"the label {label} is not a column of {path.name}{nearest(label, present)}", "Select it in features.sql.")
    raise TrainerError(
        "FeatureMissing",
        f"not in {path.name}: {', '.join(name + nearest(name, present) for name in absent)}",
        "Select the column in features.sql, or remove it from the declared features.",
    )


def _feature_column(column: pa.ChunkedArray, feature: Feature) -> np.ndarray | Categories:
    values = _categories(column, feature) if feature.is_categorical else _numbers(column, feature)
    missing = _count_missing(values)
    if missing and not feature.missing_allowed:
        raise TrainerError(
            "MissingValueForbidden",
            f"{feature.name} is missing in {missing} of {len(column)} rows, but its declaration forbids that",
            "Declare missing: allowed, or fill the values in features.sql.",
        )
    return values


def _count_missing(values: np.ndarray | Categories) -> int:
    if isinstance(values, Categories):
        return int(np.count_nonzero(values.codes == 0)) if values.values[:1] == (MISSING_CATEGORY,) else 0
    return int(np.count_nonzero(np.isnan(values)))


def _numbers(column: pa.ChunkedArray, feature: Feature) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)):
        raise _wrong_type(feature, kind, "CAST it to FLOAT in features.sql, or declare it as categorical.")
    wide = pc.cast(column, pa.int8()) if pa.types.is_boolean(kind) else column
    numbers = pc.cast(wide, pa.float64(), safe=False).fill_null(float("nan")).to_numpy()
    with np.errstate(over="ignore"):
        values = numbers.astype(np.float32)
    if np.isinf(values).any():
        raise TrainerError("FeatureTypeWrong", f"{feature.name} holds values that no finite 32-bit float can hold", "Scale or clip it in features.sql.")
    return values


def _categories(column: pa.ChunkedArray, feature: Feature) -> Categories:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise _wrong_type(feature, column.type, "CAST it to VARCHAR in features.sql, or declare it as numeric.")
    text = pc.cast(column, pa.string()).fill_null(MISSING_CATEGORY).combine_chunks().dictionary_encode()
    seen = np.array(text.dictionary.to_pylist(), dtype=object)
    order = np.argsort(seen)
    rank = np.empty(len(seen), dtype=np.int32)
    rank[order] = np.arange(len(seen), dtype=np.int32)
    return Categories(tuple(seen[order]), rank[text.indices.to_numpy()])


def _label_numbers(column: pa.ChunkedArray, name: str, fix: str) -> np.ndarray:
    if column.null_count:
        raise TrainerError("LabelInvalid", f"the label {name} is null in {column.null_count} rows", "Leave those rows out in features.sql.")
    try:
        return (pc.cast(column, pa.int8()) if pa.types.is_boolean(column.type) else pc.cast(column, pa.float64(), safe=False)).to_numpy()
    except pa.ArrowException as error:
        raise TrainerError("LabelInvalid", f"the label {name} is of type {column.type}", fix) from error


def _class_label(column: pa.ChunkedArray, name: str) -> np.ndarray:
    fix = "Select a label of 0 and 1 (or false and true)."
    values = _label_numbers(column, name, fix)
    classes = np.unique(values)
    if not np.isin(classes, (0, 1)).all():
        shown = ", ".join(str(value) for value in classes[:5])
        raise TrainerError("LabelInvalid", f"the label {name} has values that are not 0 and 1: {shown}", fix)
    if len(classes) < 2:
        raise TrainerError(
            "LabelHasOneClass", f"the label {name} is {int(classes[0])} in all {len(values)} training rows", "Choose a window that has both classes."
        )
    return values.astype(np.int8)


def _number_label(column: pa.ChunkedArray, name: str) -> np.ndarray:
    values = _label_numbers(column, name, "Select a label that is a number.").astype(np.float64)
    if not np.isfinite(values).all():
        raise TrainerError("LabelInvalid", f"the label {name} holds values that are not finite numbers", "Leave those rows out in features.sql.")
    return values


def _wrong_type(feature: Feature, kind: pa.DataType, fix: str) -> TrainerError:
    return TrainerError("FeatureTypeWrong", f"{feature.name} is declared {feature.type} but its column is {kind}", fix)
