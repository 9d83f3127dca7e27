#!/usr/bin/env bash
# Package: PyPI logfmt 0.4.
# A user: reads the extension of a CEF line, which is key=value pairs with blanks between, with logfmt.
#   Konnect writes `user_agent=` with nothing behind it when a client sent none.
# Guess before the run: user_agent is an empty text.
# Seen: user_agent is the boolean True. success=true beside it stays the text "true".
# Why it matters: a check for "no user agent" never holds, and a column that was text gets a boolean.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check logfmt==0.4
cat > read.py <<'PY'
import io
from importlib.metadata import version

import logfmt

extension = 'rt=1795166102417 src=203.0.113.9 success=true trace_id=3360194145499877253 user_agent= sig=' + 'A' * 86
(event,) = logfmt.parse(io.StringIO(extension + '\n'))
print('logfmt', version('logfmt'))
print({key: event[key] for key in ('success', 'trace_id', 'user_agent')})
assert event['user_agent'] is True
assert event['success'] == 'true'
assert event['trace_id'] == '3360194145499877253'
PY
venv/bin/python read.py
