"""The peer: FastAPI with onnxruntime, one session per process, one thread per run, the same request and answer as the gateway's."""

import os
from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Request(BaseModel):
    id: str | None = None
    inputs: list[Tensor]


@app.get("/healthz")
async def healthz() -> dict[str, Any]:
    return {"live": True}


@app.post("/v2/models/bench/infer")
async def infer(request: Request) -> JSONResponse:
    tensor = request.inputs[0]
    rows = np.asarray(tensor.data, dtype=np.float32).reshape(tensor.shape)
    (probabilities,) = session.run(["probabilities"], {"input": rows})
    output = {"name": "probabilities", "shape": list(probabilities.shape), "datatype": "FP32", "data": probabilities.ravel().tolist()}
    return JSONResponse({"model_name": "bench", "model_version": "1", "id": request.id, "outputs": [output]})
