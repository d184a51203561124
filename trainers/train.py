#!/usr/bin/env python3
"""The built-in trainers: TRAIN_SPEC=/path/spec.json python trainers/train.py (see CONTRACT.md)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from perennial_trainer.errors import bad_spec  # noqa: E402
from perennial_trainer.interruption import Interruption  # noqa: E402
from perennial_trainer.main import run_trainer  # noqa: E402
from perennial_trainer.progress import Progress  # noqa: E402
from perennial_trainer.spec import TrainSpec  # noqa: E402


def train(spec: TrainSpec, progress: Progress, interruption: Interruption) -> None:
    # Imported late: the numeric libraries must find the number of threads in the environment.
    if spec.trainer == "lightgbm":
        from perennial_trainer.lightgbm_trainer import train_lightgbm

        return train_lightgbm(spec, progress, interruption)
    if spec.trainer == "sklearn":
        from perennial_trainer.sklearn_trainer import train_sklearn

        return train_sklearn(spec, progress, interruption)
    raise bad_spec(f'trainer "{spec.trainer}" is not known', "Use lightgbm or sklearn, or a command of your own.")


if __name__ == "__main__":
    sys.exit(run_trainer(train))
