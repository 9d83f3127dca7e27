#!/usr/bin/env bash
# Package: PyPI pysigma-backend-sumologic 0.2.5 with pysigma 1.5.1.
# A user: writes a Sigma rule with actor_id: null, to find permission checks that have no actor, and converts it for SumoLogic's Cloud SIEM.
# Guess before the run: isEmpty(fields['actor_id']), because a value of the same field is asked for in fields[...].
# Seen: isEmpty(actor_id), without fields[...]. The condition with a value is fields['actor_id']="...".
#   So two conditions on one Sigma field ask for two different things. `exists` does the same.
# Why it matters: Konnect's own keys are in fields[...]. A name outside is not one of them, so "is empty" may hold for every event.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pysigma-backend-sumologic==0.2.5 pysigma==1.5.1
cat > convert.py <<'PY'
import json
from importlib.metadata import version

from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins

RULE = """
title: Permission check
status: test
logsource: {product: konnect, service: audit}
detection:
  sel: {%s}
  condition: sel
"""
backend = InstalledSigmaPlugins.autodiscover().backends['sumologic_cse']


def expression(selection):
    converted = backend().convert(SigmaCollection.from_yaml(RULE % selection))[0]
    return json.loads(converted)['rules'][0]['expression']


value = expression('actor_id: bbbbbbbb-cccc-4ddd-8eee-ffffffffffff')
null = expression('actor_id: null')
exists = expression('actor_id|exists: true')
print('pysigma-backend-sumologic', version('pysigma-backend-sumologic'))
print('value ', value)
print('null  ', null)
print('exists', exists)
assert value == "fields['actor_id']=\"bbbbbbbb-cccc-4ddd-8eee-ffffffffffff\""
assert null == 'isEmpty(actor_id)'
assert exists == '!isEmpty(actor_id)'
PY
venv/bin/python convert.py
