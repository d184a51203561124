"""Speaks to a gateway with MLflow's own scoring client: `mlflow_scoring_client.py <url> <key>`; prints one JSON object of what it got.

The gateway serves the model `mixed` (a FP32, b BYTES, c INT64, each [-1, 1]) and `sum` (x FP32 [-1, 3]: the sum plus 1). MLflow's client sends no headers of its
user's, so those that name the key and the model are put in here.
"""

import json
import sys
from urllib.parse import urlsplit

import mlflow.pyfunc.scoring_server.client as scoring
import numpy as np
import pandas as pd

url, key = sys.argv[1:]
address = urlsplit(url)
send = scoring.requests.post
model = "mixed"


def send_with_key(**request):
    headers = {**request.pop("headers"), "authorization": f"Bearer {key}", "x-perennial-model": model}
    return send(**request, headers=headers)


scoring.requests.post = send_with_key
client = scoring.ScoringServerClient(address.hostname, address.port)
client.wait_server_ready(timeout=30)

frame = pd.DataFrame({"b": ["héllo", "", "x"], "a": np.array([1.5, np.nan, 2], dtype=np.float32), "c": [1, 2, 2**40]})


def scores(response):
    return response.get_predictions()[0].tolist()


def csv(body, content_type="text/csv"):
    return send_with_key(url=f"{url}/invocations", data=body.encode(), headers={"Content-Type": content_type}).json()


def text(**body):
    """A body as MLflow's documents show it for curl: its client takes a text as it is, and errs on any dict."""
    return json.dumps(body)


def refused(data, **options):
    try:
        client.invoke(data, **options)
    except Exception as error:
        return str(error)
    return None


answers = {
    "version": client.get_version(),
    "frame": scores(client.invoke(frame)),
    "records": scores(client.invoke(text(dataframe_records=json.loads(frame.to_json(orient="records"))))),
    "inputs": scores(client.invoke(text(inputs={"a": [1.5, None], "b": ["x", ""], "c": [1, 2]}))),
    "csv": csv(frame.to_csv(index=False)),
    "csv_without_header": csv(frame[["a", "b", "c"]].to_csv(index=False, header=False), "text/csv; charset=utf-8; header=absent"),
    "no_column": refused(frame[["a", "b"]]),
    "parameters": refused(frame, params={"temperature": 0.5}),
    "with_index": csv(frame.to_csv()),
}
model = "sum"
rows = np.array([[1, 2, 3], [4, 5, 6.5]])
answers |= {
    "array": scores(client.invoke(rows)),
    "instances": scores(client.invoke(text(instances=rows.tolist()))),
    "wide_frame": scores(client.invoke(pd.DataFrame(rows, columns=["first", "second", "third"]))),
    "wide_csv": csv("first,second,third\n1,2,3\n4,5,6.5\n"),
    "missing": refused(np.array([[1, np.nan, 3]])),
}
print(json.dumps(answers))
