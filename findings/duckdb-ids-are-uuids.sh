#!/usr/bin/env bash
# Package: PyPI duckdb 2.0.1, with pandas 3.1.1.
# A user: opens a file of JSON lines with DuckDB and looks for ids by their first characters: principal_id LIKE 'bbbbbbbb%'.
# Guess before the run: the line is found, because an id in JSON is text.
# Seen: "No function matches ... ~~(UUID, STRING_LITERAL)". The reader makes a UUID of each id. An equality with a text works in SQL.
#   In pandas, after df(), the same equality finds nothing and raises no error. columns={...} with VARCHAR gives text for both.
# Why it matters: an investigation moves between SQL and pandas, and in one of the two a person seems to have done nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1
cat > audit.ndjson <<'JSON'
{"event_ts":"2026-11-20T09:15:02Z","name":"Authz.control-planes","principal_id":"bbbbbbbb-cccc-4ddd-8eee-ffffffffffff"}
JSON
cat > query.py <<'PY'
import duckdb

id = 'bbbbbbbb-cccc-4ddd-8eee-ffffffffffff'
text = "read_json('audit.ndjson', columns={'name': 'VARCHAR', 'principal_id': 'VARCHAR'})"


def count(source, condition):
    return duckdb.sql(f'SELECT count(*) FROM {source} WHERE {condition}').fetchall()[0][0]


print('duckdb', duckdb.__version__)
equal = count("'audit.ndjson'", f"principal_id = '{id}'")
try:
    count("'audit.ndjson'", "principal_id LIKE 'bbbbbbbb%'")
    raise SystemExit('LIKE found something')
except duckdb.BinderException as error:
    print('LIKE:', str(error).splitlines()[0])
frame = duckdb.sql("FROM 'audit.ndjson'").df()
in_pandas = int((frame.principal_id == id).sum())
as_text = count(text, "principal_id LIKE 'bbbbbbbb%'")
print('equal in SQL:', equal, '- equal in pandas:', in_pandas, '- LIKE on text:', as_text)
assert (equal, in_pandas, as_text) == (1, 0, 1)
assert int((duckdb.sql(f'FROM {text}').df().principal_id == id).sum()) == 1
PY
venv/bin/python query.py
