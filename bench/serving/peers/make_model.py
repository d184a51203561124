"""Trains the benchmark's model, LightGBM with 100 trees on 30 features, and writes it as ONNX: `make_model.py <output>`."""

import sys

import lightgbm
import numpy as np
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

FEATURES = 30

rng = np.random.default_rng(7)
rows = rng.normal(size=(20_000, FEATURES)).astype(np.float32)
label = (rows[:, 0] + rows[:, 1] * rows[:, 2] + rng.normal(size=len(rows)) > 0).astype(int)
model = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, random_state=7, n_jobs=2, verbose=-1)
model.fit(rows, label)
onnx_model = convert_lightgbm(model, name="bench", initial_types=[("input", FloatTensorType([None, FEATURES]))], zipmap=False, target_opset=15)
with open(sys.argv[1], "wb") as file:
    file.write(onnx_model.SerializeToString())
