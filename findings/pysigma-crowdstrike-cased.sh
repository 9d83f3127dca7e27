#!/usr/bin/env bash
# Package: PyPI pysigma-backend-crowdstrike 3.0.0 with pysigma 1.5.1.
# A user: writes a Sigma rule with name|cased: Authz.control-planes, the exact event name, and converts it for CrowdStrike's LogScale.
# Guess before the run: name="Authz.control-planes", a comparison of two texts.
# Seen: name="Authz\.control-planes". The dot is escaped as in a regular expression, and the comparison is none.
#   With startswith the prefix is in quotation marks inside the regular expression: name=/^"Authz"/.
#   Without `cased` the query is a regular expression that fits.
# Why it matters: no event of Konnect has such a name, so the rule never fires, and the conversion says nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pysigma-backend-crowdstrike==3.0.0 pysigma==1.5.1
cat > convert.py <<'PY'
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
backend = InstalledSigmaPlugins.autodiscover().backends['log_scale']
expected = {
    'name: Authz.control-planes': r'name=/^Authz\.control-planes$/i',
    'name|cased: Authz.control-planes': r'name="Authz\.control-planes"',
    'name|startswith|cased: Authz': 'name=/^"Authz"/',
}
print('pysigma-backend-crowdstrike', version('pysigma-backend-crowdstrike'))
for selection, query in expected.items():
    (converted,) = backend().convert(SigmaCollection.from_yaml(RULE % selection))
    print(f'{selection:34} {converted}')
    assert converted == query
PY
venv/bin/python convert.py
