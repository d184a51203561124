"""The training's specification, read from the file that TRAIN_SPEC names and checked by spec.schema.json."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import TrainerError, bad_spec
from .json_schema import find_errors

SCHEMA_FILE = Path(__file__).parent.parent / "spec.schema.json"
OUTPUT_NAME = "score"
REGRESSION = "regression"


@dataclass(frozen=True)
class Feature:
    name: str
    type: str
    missing_allowed: bool

    @property
    def is_categorical(self) -> bool:
        return self.type == "categorical"


@dataclass(frozen=True)
class TrainSpec:
    trainer: str
    train: tuple[Path, ...]
    holdout: tuple[Path, ...]
    label: str
    task: str
    features: tuple[Feature, ...]
    params: dict[str, Any]
    seed: int
    threads: int
    output_folder: Path
    checkpoint_folder: Path
    resume_from: Path | None
    report_metric: str | None = None

    @property
    def is_regression(self) -> bool:
        return self.task == REGRESSION


def read_spec(environment: dict[str, str] | None = None) -> TrainSpec:
    path = (environment if environment is not None else os.environ).get("TRAIN_SPEC")
    if not path:
        raise bad_spec("TRAIN_SPEC is not set", "Set TRAIN_SPEC to the path of a specification; see trainers/CONTRACT.md.")
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise bad_spec(f"the specification {path} cannot be read: {error}", "Give a readable JSON file.") from error
    return parse_spec(value)


def parse_spec(value: Any) -> TrainSpec:
    errors = find_errors(value, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    if errors:
        raise bad_spec(f"the specification is not valid: {'; '.join(errors[:5])}", "See trainers/spec.schema.json.")
    features = tuple(Feature(item["name"], item["type"], item.get("missing") == "allowed") for item in value["features"])
    _check_names(features, value["label"])
    return TrainSpec(
        trainer=value["trainer"],
        train=tuple(map(Path, value["train"])),
        holdout=tuple(map(Path, value["holdout"])),
        label=value["label"],
        task=value["task"],
        features=features,
        params=value["params"],
        seed=value["seed"],
        threads=value["threads"],
        output_folder=Path(value["outputFolder"]),
        checkpoint_folder=Path(value["checkpointFolder"]),
        resume_from=Path(value["resumeFrom"]) if value.get("resumeFrom") else None,
        report_metric=value.get("reportMetric"),
    )


def _check_names(features: tuple[Feature, ...], label: str) -> None:
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise bad_spec(f"features are declared twice: {', '.join(twice)}", "Declare each feature once.")
    if label in names:
        raise TrainerError("LabelInvalid", f"the label {label} is also a feature", "Take it out of the features: it is what is predicted.")
    if OUTPUT_NAME in names:
        raise bad_spec(f"a feature is named {OUTPUT_NAME}, which is the name of the output", "Rename the feature in features.sql.")
