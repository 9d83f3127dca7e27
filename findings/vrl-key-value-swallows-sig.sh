#!/usr/bin/env bash
# Package: PyPI vrl-python 0.1.0, Vector's remap language (VRL) for Python.
# A user: reads the extension of a CEF line with VRL's parse_key_value. Konnect writes `user_agent= sig=...` when a client sent no user agent.
# Guess before the run: user_agent is empty and sig is a field of its own.
# Seen: user_agent is "sig=..." with the whole signature, and there is no field sig. parse_logfmt does the same.
#   With whitespace: "strict" both fields are right.
# Why it matters: no error is raised. The line counts as unsigned, and its signature is stored as a user agent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check vrl-python==0.1.0
cat > parse.py <<'PY'
from importlib.metadata import version

from vrl_python import VRLRuntime

sig = 'B' * 86
extension = f'rt=1795166102417 src=203.0.113.9 success=true trace_id=3360194145499877253 user_agent= sig={sig}'


def run(program):
    return VRLRuntime.run(program, {'message': extension}, 'UTC').runtime_result


plain = run('parse_key_value!(.message)')
logfmt = run('parse_logfmt!(.message)')
strict = run('parse_key_value!(.message, whitespace: "strict")')
print('vrl-python', version('vrl-python'))
for name, event in ('parse_key_value', plain), ('parse_logfmt', logfmt), ('strict', strict):
    print(name, {key: event.get(key) for key in ('user_agent', 'sig')})
for event in plain, logfmt:
    assert event['user_agent'] == f'sig={sig}' and 'sig' not in event
assert strict['user_agent'] == '' and strict['sig'] == sig
PY
venv/bin/python parse.py
