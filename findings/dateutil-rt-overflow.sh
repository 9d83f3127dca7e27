#!/usr/bin/env bash
# Package: PyPI python-dateutil 4.0.0.
# A user: parses the time of each line and catches ValueError, of which ParserError is a kind, for lines whose time is odd.
#   One line hands over `rt`, milliseconds as text, where the others have event_ts.
# Guess before the run: a ParserError.
# Seen: an OverflowError, which is no ValueError. The except clause does not catch it and the whole batch ends there.
# Why it matters: one valid line stops the reading of all lines after it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-dateutil==4.0.0
cat > read.py <<'PY'
from importlib.metadata import version

from dateutil import parser

print('python-dateutil', version('python-dateutil'))
print(parser.parse('2026-11-20T09:15:02Z').isoformat())
try:
    parser.parse('1795166102417')
    raise SystemExit('rt was read')
except OverflowError as error:
    print(type(error).__name__, error, '; is a ValueError:', isinstance(error, ValueError))
    assert not isinstance(error, ValueError)
assert issubclass(parser.ParserError, ValueError)
PY
venv/bin/python read.py
