"""Speaks to a gateway with Triton's own gRPC client: `triton_grpc_client.py <host:port> <key>`; prints one JSON object of what it got.

The gateway serves the models `sum` (x FP32 [-1, 3]: the sum plus 1, version 1) `mixed` (a FP32, b BYTES, c INT64, each [-1, 1]) and `typed`.
"""

import json
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

import typed_tensors

url, key = sys.argv[1:]
client = triton.InferenceServerClient(url)
headers = {"authorization": f"Bearer {key}"}


def tensor(name, values, datatype):
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values)
    return made


def scores(result):
    return result.as_numpy("score").ravel().tolist()


def infer(**options):
    rows = np.array([[1, 2, 3], [4, 5, 6.5]], dtype=np.float32)
    result = client.infer("sum", [tensor("x", rows, "FP32")], headers={**headers, **options.pop("headers", {})}, **options)
    answer = result.get_response()
    return {"scores": scores(result), "shape": list(answer.outputs[0].shape), "version": answer.model_version, "id": answer.id, "is_raw": len(answer.raw_output_contents) == 1}


def typed():
    """The form in which values stand in fields of their own: Triton's client does not write it, others do."""
    request = service_pb2.ModelInferRequest(model_name="mixed", id="typed-1")
    for name, datatype, field, values in [("a", "FP32", "fp32_contents", [1.5, float("nan")]), ("b", "BYTES", "bytes_contents", ["é".encode(), b""]), ("c", "INT64", "int64_contents", [7, 2**40])]:
        entry = request.inputs.add(name=name, datatype=datatype, shape=[2, 1])
        getattr(entry.contents, field).extend(values)
    request.parameters["key"].string_param = "a customer"
    answer, call = client._client_stub.ModelInfer.with_call(request, metadata=list(headers.items()))
    metadata = dict(call.initial_metadata())
    return {"scores": list(answer.outputs[0].contents.fp32_contents), "id": answer.id, "metadata": {name: metadata[name] for name in ("x-request-id", "x-perennial-role", "x-perennial-version")}}


def mixed():
    a = np.array([[1.5], [np.nan], [2]], dtype=np.float32)
    b = np.array([["héllo"], [""], ["x"]], dtype=np.object_)
    c = np.array([[1], [2], [2**40]], dtype=np.int64)
    return scores(client.infer("mixed", [tensor("c", c, "INT64"), tensor("a", a, "FP32"), tensor("b", b, "BYTES")], headers=headers))


def asynchronous(count):
    from concurrent.futures import Future

    futures = []
    for number in range(count):
        future = Future()
        rows = np.full((1, 3), number, dtype=np.float32)
        client.async_infer("sum", [tensor("x", rows, "FP32")], callback=lambda result, error, into=future: into.set_exception(error) if error else into.set_result(scores(result)[0]), headers=headers)
        futures.append(future)
    return [future.result(30) for future in futures] == [3 * number + 1 for number in range(count)]


def refused(call):
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


def infer_rows(values, model="sum", name="x", datatype="FP32", **options):
    return lambda: client.infer(model, [tensor(name, values, datatype)], **{"headers": headers, **options})


row = np.array([[1, 2, 3]], dtype=np.float32)
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready("sum", headers=headers),
            "server": client.get_server_metadata(headers=headers, as_json=True),
            "model": client.get_model_metadata("sum", headers=headers, as_json=True),
            "plain": infer(request_id="from-triton-grpc-1"),
            "pinned": infer(model_version="1", headers={"x-perennial-key": "customer 7"}),
            "wanted": infer(outputs=[triton.InferRequestedOutput("score")]),
            "compressed": infer(compression_algorithm="gzip"),
            "typed": typed(),
            "mixed": mixed(),
            "values": typed_tensors.unchanged(triton, client, headers),
            "converted": typed_tensors.converted(triton, client, headers, typed_tensors.ATTEMPTS),
            "index": client.get_model_repository_index(headers=headers, as_json=True)["models"],
            "statistics": client.get_inference_statistics("sum", "1", headers=headers, as_json=True)["model_stats"],
            "load": client.load_model("sum", headers=headers),
            "asynchronous": asynchronous(200),
            "refused": {
                "other_model": refused(lambda: client.is_model_ready("nothing", headers=headers)),
                "other_version": refused(infer_rows(row, model_version="7")),
                "no_key": refused(infer_rows(row, headers={})),
                "wrong_key": refused(infer_rows(row, headers={"authorization": "Bearer perennial_wrong"})),
                "missing": refused(infer_rows(np.array([[1, np.nan, 3]], dtype=np.float32))),
                "wide": refused(infer_rows(np.array([[1, 2, 3, 4]], dtype=np.float32))),
                "wrong_type": refused(infer_rows(row > 0, datatype="BOOL")),
                "wrong_name": refused(infer_rows(row, name="🙂" * 40)),
                "wrong_output": refused(infer_rows(row, outputs=[triton.InferRequestedOutput("nothing")])),
                "load_other": refused(lambda: client.load_model("sum", headers=headers, config="{}")),
                "unload": refused(lambda: client.unload_model("sum", headers=headers)),
                "late": refused(infer_rows(row, client_timeout=1e-6)),
                "no_method": refused(lambda: client.get_model_config("sum", headers=headers)),
            },
        }
    )
)
