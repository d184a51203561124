"""Speaks to a gateway with Triton's own HTTP client: `triton_client.py <host:port> <key>`; prints one JSON object of what it got.

The gateway serves the models `sum` (x FP32 [-1, 3]: the sum plus 1, version 1) `mixed` (a FP32, b BYTES, c INT64, each [-1, 1]) and `typed`.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

import typed_tensors

url, key = sys.argv[1:]
client = triton.InferenceServerClient(url)
headers = {"authorization": f"Bearer {key}"}


def tensor(name, values, datatype, binary=True):
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def scores(result):
    return result.as_numpy("score").ravel().tolist()


def infer(binary_in, binary_out, **options):
    rows = np.array([[1, 2, 3], [4, 5, 6.5]], dtype=np.float32)
    wanted = [triton.InferRequestedOutput("score", binary_data=binary_out)]
    result = client.infer("sum", [tensor("x", rows, "FP32", binary_in)], outputs=wanted, headers=headers, **options)
    answer = result.get_response()
    return {"scores": scores(result), "version": answer["model_version"], "id": answer["id"], "is_json": "data" in answer["outputs"][0]}


def mixed():
    a = np.array([[1.5], [np.nan], [2]], dtype=np.float32)
    b = np.array([["héllo"], [""], ["x"]], dtype=np.object_)
    c = np.array([[1], [2], [2**40]], dtype=np.int64)
    result = client.infer("mixed", [tensor("c", c, "INT64"), tensor("a", a, "FP32"), tensor("b", b, "BYTES", True)], headers=headers)
    return scores(result)


def refused(values, name="x", datatype="FP32"):
    return refusal_of(lambda: client.infer("sum", [tensor(name, values, datatype)], headers=headers))


def refusal_of(call):
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready("sum", headers=headers),
            "other_ready": client.is_model_ready("nothing", headers=headers),
            "server": client.get_server_metadata(headers=headers),
            "model": client.get_model_metadata("sum", headers=headers),
            "json": infer(False, False, request_id="from-triton-1"),
            "binary_in": infer(True, False, model_version="1"),
            "binary": infer(True, True),
            "mixed": mixed(),
            "missing": refused(np.array([[1, np.nan, 3]], dtype=np.float32)),
            "infinite": refused(np.array([[1, np.inf, 3]], dtype=np.float32)),
            "wide": refused(np.array([[1, 2, 3, 4]], dtype=np.float32)),
            "wrong_type": refused(np.array([[True, False, True]]), datatype="BOOL"),
            "index": client.get_model_repository_index(headers=headers),
            "statistics": client.get_inference_statistics("sum", headers=headers)["model_stats"],
            "all_statistics": sorted(entry["name"] for entry in client.get_inference_statistics(headers=headers)["model_stats"]),
            "load": client.load_model("sum", headers=headers),
            "load_other": refusal_of(lambda: client.load_model("sum", headers=headers, files={"file:1/model.onnx": b"x"}, config="{}")),
            "load_unknown": refusal_of(lambda: client.load_model("nothing", headers=headers)),
            "unload": refusal_of(lambda: client.unload_model("sum", headers=headers)),
            "typed": typed_tensors.unchanged(triton, client, headers),
            "converted": typed_tensors.converted(triton, client, headers, typed_tensors.ATTEMPTS),
        }
    )
)
