#!/usr/bin/env bash
# Package: PyPI azuma 0.7.3, which matches Sigma rules against events.
# A user: writes a rule for logins without a user agent, user_agent: '', and matches it against a parsed line whose user_agent is empty.
# Guess before the run: the rule matches, as an empty value equals an empty value.
# Seen: no match, and user_agent: null does not match either. The event counts as one that has the field.
#   The modifier `re` with '^$' matches.
# Why it matters: Konnect writes `user_agent=` for clients that send none. A rule for such clients never fires.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check azuma==0.7.3 packaging==26.4
cat > match.py <<'PY'
from importlib.metadata import version

import azuma

RULE = """
title: Login without a user agent
logsource: {product: konnect}
detection:
  sel: {%s}
  condition: sel
"""
login = {'name': 'AUTHENTICATION_OUTCOME_SUCCESS', 'src': '203.0.113.9', 'user_agent': ''}
expected = {
    "user_agent: ''": False,
    'user_agent: null': False,
    'user_agent|exists: true': True,
    "user_agent|re: '^$'": True,
    "name: 'AUTHENTICATION_OUTCOME_SUCCESS'": True,
}
print('azuma', version('azuma'))
for selection, result in expected.items():
    matched = azuma.Rule.model_validate_yaml(RULE % selection).match(login)
    print(f'{selection:42} {matched}')
    assert matched is result
PY
venv/bin/python match.py
