#!/usr/bin/env bash
# Package: PyPI litestar 2.25.0.
# A user: receives audit lines as text/plain with a handler that takes `data: str`, as one does with FastAPI's Body.
# Guess before the run: data is the text of the body.
# Seen: 400 "JSON is malformed". The body is read as JSON although the request says text/plain. `body: bytes` gives the bytes.
# Why it matters: Konnect does not repeat a batch after a 400, so it is lost until a replay.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check litestar==2.25.0 httpx==0.28.1
cat > receive.py <<'PY'
from importlib.metadata import version

from litestar import Litestar, post
from litestar.testing import TestClient


@post('/text')
async def as_text(data: str) -> str:
    return data


@post('/bytes')
async def as_bytes(body: bytes) -> str:
    return body.decode()


line = '2026-11-20T09:15:02Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=1795166102417 granted=true'
print('litestar', version('litestar'))
with TestClient(Litestar([as_text, as_bytes])) as client:
    text = client.post('/text', content=line, headers={'Content-Type': 'text/plain'})
    plain = client.post('/bytes', content=line, headers={'Content-Type': 'text/plain'})
print('data: str  ', text.status_code, text.text)
print('body: bytes', plain.status_code, plain.text)
assert text.status_code == 400 and 'JSON is malformed' in text.text
assert plain.status_code == 201 and plain.text == line
PY
venv/bin/python receive.py
