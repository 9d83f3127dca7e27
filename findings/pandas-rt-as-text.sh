#!/usr/bin/env bash
# Package: PyPI pandas 3.1.1.
# A user: turns the column `rt`, milliseconds as text, into times with to_datetime(column, unit='ms').
# Guess before the run: it works, because the unit says what the digits are.
# Seen: OutOfBoundsDatetime. Text is read as a date and `unit` is ignored for it. The same digits as int64 give the right time.
#   With errors='coerce' there is no error, and every time is NaT.
# Why it matters: JSON lines may carry numbers as text. With 'coerce', which many use, the events have no time and nobody is told.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1
cat > read.py <<'PY'
import pandas

rt = pandas.Series(['1795166102417', '1795166103889'])
print('pandas', pandas.__version__)
try:
    pandas.to_datetime(rt, unit='ms')
    raise SystemExit('text with a unit was read')
except pandas.errors.OutOfBoundsDatetime as error:
    print('text:  ', type(error).__name__, error)
coerced = pandas.to_datetime(rt, unit='ms', errors='coerce')
numbers = pandas.to_datetime(rt.astype('int64'), unit='ms')
print('coerce:', coerced.tolist())
print('int64: ', numbers.tolist())
assert coerced.isna().all()
assert numbers[0].isoformat().startswith('2026-11-20T09:15:02.417')
PY
venv/bin/python read.py
