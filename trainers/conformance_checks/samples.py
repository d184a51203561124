"""A small data set with everything that the contract speaks of: both kinds of features, missing values, unseen categories."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

FEATURES = [
    {"name": "segment", "type": "categorical", "missing": "allowed"},
    {"name": "region", "type": "categorical", "missing": "forbidden"},
    {"name": "amount", "type": "numeric", "missing": "forbidden"},
    {"name": "age", "type": "numeric", "missing": "allowed"},
]


def make_table(rows: int, seed: int, regions: tuple[str, ...], task: str) -> pa.Table:
    """`label` is a coin that falls by the features, or for a regression a number that they make, with noise."""
    random = np.random.default_rng(seed)
    amount = random.normal(size=rows).astype(np.float32)
    age = random.integers(18, 90, rows).astype(np.float32)
    age_known = random.random(rows) > 0.3
    segment = np.array(["new", "loyal", "gone"])[random.integers(0, 3, rows)]
    region = np.array(regions)[random.integers(0, len(regions), rows)]
    logit = 1.5 * amount + (segment == "gone") - (region == "north") + 0.02 * (age - 50)
    noise = random.random(rows)
    label = 40 + 10 * (logit + noise) if task == "regression" else noise < 1 / (1 + np.exp(-logit))
    return pa.table(
        {
            "row_id": pa.array([f"{seed}-{row}" for row in range(rows)]),
            "segment": pa.array(segment, mask=random.random(rows) < 0.1),
            "region": pa.array(region),
            "amount": pa.array(amount),
            "age": pa.array(age, mask=~age_known),
            "label": pa.array(label),
        }
    )


class Samples:
    """Writes the files once and makes specifications that use them, each with folders of its own."""

    def __init__(self, folder: Path, trainer: str, params: dict, task: str):
        self.folder, self.trainer, self.params, self.task, self.count = folder, trainer, params, task, 0
        self.train = self.write("train", make_table(4_000, 1, ("north", "south"), task))
        self.train_more = self.write("train-more", make_table(4_000, 2, ("north", "east"), task))
        self.large = self.write("large", make_table(60_000, 3, ("north", "south", "east"), task))
        self.holdout = self.write("holdout", make_table(300, 4, ("north", "south", "never-seen"), task))

    def write(self, name: str, table: pa.Table) -> str:
        path = self.folder / f"{name}.parquet"
        parquet.write_table(table, path)
        return str(path)

    def spec(self, **changes) -> dict:
        self.count += 1
        folder = self.folder / f"attempt-{self.count}"
        for name in ("output", "checkpoints"):
            (folder / name).mkdir(parents=True)
        return {
            "contractVersion": 1,
            "trainer": self.trainer,
            "train": [self.train, self.train_more],
            "holdout": [self.holdout],
            "label": "label",
            "features": FEATURES,
            "identity": ["row_id"],
            "task": self.task,
            "params": self.params,
            "seed": 7,
            "threads": 2,
            "outputFolder": str(folder / "output"),
            "checkpointFolder": str(folder / "checkpoints"),
            "resumeFrom": None,
            "deadline": "2100-01-01T00:00:00Z",
            "device": "cpu",
        } | changes
