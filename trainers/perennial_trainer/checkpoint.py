"""Checkpoints of a boosting: JSON with LightGBM's own text, bound to the training by a fingerprint.

A checkpoint of other data, features or parameters would give a model that nobody declared, so it is refused.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from .errors import TrainerError
from .files import sha256_of, write_json
from .spec import TrainSpec

# More than the newest, as the worker may still be copying the one before.
_KEPT = 3


@dataclass(frozen=True)
class Checkpoint:
    """`resumed_from`: hashes of all checkpoints that this training went on from, oldest first, this one last."""

    booster: str
    done: int
    resumed_from: list[str]


def fingerprint_of(spec: TrainSpec, params: dict) -> str:
    """Everything that the model depends on, and nothing of where its files lie."""
    parts = {
        "train": [sha256_of(path) for path in spec.train],
        "label": spec.label,
        "task": spec.task,
        "features": [[feature.name, feature.type, feature.missing_allowed] for feature in spec.features],
        "params": params,
        "seed": spec.seed,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def write_checkpoint(folder: Path, fingerprint: str, booster: str, done: int, resumed_from: list[str]) -> Path:
    path = folder / f"checkpoint-{done:06d}.json"
    write_json(path, {"fingerprint": fingerprint, "done": done, "resumedFrom": resumed_from, "booster": booster})
    for old in sorted(folder.glob("checkpoint-*.json"))[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path


def read_checkpoint(path: Path, fingerprint: str) -> Checkpoint:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        found, booster, done, earlier = value["fingerprint"], value["booster"], value["done"], value["resumedFrom"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainerError("TrainerRejectedInput", f"the checkpoint {path.name} cannot be read: {error}", "Train from the start: resumeFrom null.") from error
    if found != fingerprint:
        raise TrainerError("TrainerRejectedInput", f"the checkpoint {path.name} is of another training", "Train from the start: resumeFrom null.")
    return Checkpoint(booster, done, [*earlier, sha256_of(path)])
