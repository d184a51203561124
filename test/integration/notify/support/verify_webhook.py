"""Checks a Standard Webhooks signature with Python's standard library alone: reads {secret, headers, body} as JSON, prints true or false."""
import base64
import hashlib
import hmac
import json
import sys

message = json.load(sys.stdin)
headers = message["headers"]
key = base64.b64decode(message["secret"].removeprefix("whsec_"))
signed = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{message["body"]}'.encode()
expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
found = [part.removeprefix("v1,") for part in headers["webhook-signature"].split(" ") if part.startswith("v1,")]
print(json.dumps(any(hmac.compare_digest(expected, signature) for signature in found)))
