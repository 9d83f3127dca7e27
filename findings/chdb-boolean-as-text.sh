#!/usr/bin/env bash
# Package: PyPI chdb 4.4.0 with chdb-core 26.9.0, ClickHouse in a Python process.
# A user: reads values of JSON lines with JSONExtractInt and JSONExtractBool. Numbers and booleans may come as text: "rt":"179...", "granted":"true".
# Guess before the run: neither reads text, so both give 0.
# Seen: JSONExtractInt gives the number in the text. JSONExtractBool gives 0 for the text "true", without an error.
# Why it matters: the times are right, so nobody doubts the rest. Every permission check counts as refused and every login as failed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0
cat > query.py <<'PY'
from importlib.metadata import version

import chdb

line = '{"name":"Authz.control-planes","rt":"1795166102417","granted":"true"}'


def ask(expression):
    answer = str(chdb.query(f"SELECT {expression} FROM (SELECT '{line}' AS line)", 'TSV')).strip()
    print(f'{expression:42} {answer}')
    return answer


print('chdb', version('chdb'), 'chdb-core', version('chdb-core'))
assert ask("JSONExtractInt(line, 'rt')") == '1795166102417'
assert ask("JSONExtractBool(line, 'granted')") in ('0', 'false')
assert ask("JSONExtractString(line, 'granted') = 'true'") in ('1', 'true')
PY
venv/bin/python query.py
