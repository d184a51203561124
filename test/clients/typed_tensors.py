"""Values of each datatype, sent to the model `typed` by either of Triton's clients: `HTTP` and gRPC have the same classes."""

import numpy as np

EXTREMES = {
    "fp32": np.array([[0.5], [-3.25]], dtype=np.float32),
    "fp64": np.array([[0.1], [-1e30]], dtype=np.float64),
    "bool": np.array([[True], [False]], dtype=np.bool_),
    "bytes": np.array([["héllo"], ["🙂"]], dtype=np.object_),
    **{name: np.array([[np.iinfo(name).min], [np.iinfo(name).max]], dtype=name) for name in ("int8", "int16", "int32", "uint8", "uint16", "uint32")},
    "int64": np.array([[-(2**53) + 1], [2**53 - 1]], dtype=np.int64),
    "uint64": np.array([[0], [2**53 - 1]], dtype=np.uint64),
}


def tensor(triton, name, values, datatype=None):
    made = triton.InferInput(name, list(values.shape), datatype or name.upper())
    made.set_data_from_numpy(values)
    return made


def unchanged(triton, client, headers):
    """The datatypes whose values came back as they were sent."""
    result = client.infer("typed", [tensor(triton, name, values) for name, values in EXTREMES.items()], headers=headers)
    back = {name: result.as_numpy(f"same_{name}") for name in EXTREMES}
    back["bytes"] = np.array([[text[0].decode()] for text in back["bytes"]], dtype=np.object_)
    return sorted(name for name, values in EXTREMES.items() if back[name].dtype == values.dtype and np.array_equal(back[name], values))


def converted(triton, client, headers, attempts):
    """What becomes of values that are sent in another datatype than the signature's: the value in the model, or the refusal."""
    answers = []
    for name, datatype, value, dtype in attempts:
        inputs = [tensor(triton, other, values[:1]) for other, values in EXTREMES.items() if other != name]
        sent = tensor(triton, name, np.array([[value]], dtype=dtype), datatype)
        try:
            result = client.infer("typed", [*inputs, sent], headers=headers)
            answers.append(result.as_numpy(f"same_{name}").item())
        except Exception as error:
            answers.append(error.message().split(": ", 1)[1])
    return answers


ATTEMPTS = [
    ("fp32", "FP64", 0.1, np.float64),
    ("fp32", "INT64", 2**24, np.int64),
    ("fp32", "INT64", 2**24 + 1, np.int64),
    ("fp32", "FP64", 1e300, np.float64),
    ("fp64", "FP32", 0.5, np.float32),
    ("fp64", "FP16", -1.5, np.float16),
    ("int8", "INT64", 127, np.int64),
    ("int8", "INT64", 128, np.int64),
    ("int32", "FP64", 7.0, np.float64),
    ("int32", "FP64", 7.5, np.float64),
    ("uint8", "INT8", -1, np.int8),
    ("int64", "UINT64", 2**53, np.uint64),
    ("bool", "UINT8", 1, np.uint8),
    ("fp32", "BOOL", True, np.bool_),
]
