#!/usr/bin/env bash
# Package: PyPI polars 2.1.0.
# A user: keeps the JSON lines of the organization and of a portal in one file and opens it with read_ndjson.
#   The first 300 lines are permission checks. The last line is a portal login, with portal_id, request and success.
# Guess before the run: read_ndjson raises an error about the unknown fields of the last line.
# Seen: no error and no warning. The login row is there, and portal_id, request and success are in no column.
#   The columns come from the first 100 lines alone. infer_schema_length=None reads all fields.
# Why it matters: logins are rare beside permission checks. Whoever counts failed logins this way counts none.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check polars==2.1.0
cat > read.py <<'PY'
import json
import polars

common = {'event_ts': '2026-11-20T09:15:02Z', 'event_vendor': 'KongInc', 'src': '203.0.113.9', 'trace_id': '3360194145499877253'}
check = common | {'name': 'Authz.control-planes', 'action': 'list', 'granted': 'true'}
login = common | {
    'name': 'AUTHENTICATION_OUTCOME_SUCCESS',
    'request': '/api/v2/developer/authenticate',
    'success': 'true',
    'portal_id': '66666666-7777-4888-8999-aaaaaaaaaaaa',
}
with open('audit.ndjson', 'w') as out:
    for line in [check] * 300 + [login]:
        out.write(json.dumps(line) + '\n')

print('polars', polars.__version__)
short = polars.read_ndjson('audit.ndjson')
print('rows', short.height, 'last row', short.tail(1).to_dicts())
full = polars.read_ndjson('audit.ndjson', infer_schema_length=None)
print('with infer_schema_length=None, portal_id is', full['portal_id'][-1])
assert short.height == 301 and short['name'][-1] == login['name']
assert not {'portal_id', 'request', 'success'} & set(short.columns)
assert full['portal_id'][-1] == login['portal_id']
PY
venv/bin/python read.py
