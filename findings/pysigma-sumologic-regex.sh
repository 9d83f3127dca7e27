#!/usr/bin/env bash
# Package: PyPI pysigma-backend-sumologic 0.2.5 with pysigma 1.5.1.
# A user: writes a Sigma rule over Konnect's event names with the modifier `re` and converts it for SumoLogic's Cloud SIEM.
# Guess before the run: the regular expression `Authz\..*` stays as it is.
# Seen: it becomes `Authz\\\.\.*`. That is a backslash, a dot, and then dots only, so no event name fits.
#   The conversion succeeds without a warning about it. The modifier `startswith` gives an expression that fits.
# Why it matters: the rule is deployed, looks right at a glance and never fires.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pysigma-backend-sumologic==0.2.5 pysigma==1.5.1
cat > convert.py <<'PY'
import json
import re
from importlib.metadata import version

from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins

RULE = r"""
title: Permission check
status: test
logsource: {product: konnect, service: audit}
detection:
  sel: {name|%s}
  condition: sel
"""
backend = InstalledSigmaPlugins.autodiscover().backends['sumologic_cse']


def expression(selection):
    converted = backend().convert(SigmaCollection.from_yaml(RULE % selection))[0]
    return json.loads(converted)['rules'][0]['expression']


def pattern(text):
    return re.search(r'matches /(.*)/$', text).group(1)


by_regex = expression(r"re: 'Authz\..*'")
by_start = expression("startswith: 'Authz.'")
print('pysigma-backend-sumologic', version('pysigma-backend-sumologic'))
print('re        ', by_regex)
print('startswith', by_start)
assert pattern(by_regex) == r'Authz\\\.\.*'
assert not re.match(pattern(by_regex), 'Authz.control-planes')
assert re.match(pattern(by_start), 'Authz.control-planes')
PY
venv/bin/python convert.py
