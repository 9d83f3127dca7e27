#!/usr/bin/env bash
# Package: PyPI csvkit 2.2.0, its command csvsort.
# A user: sorts a CSV export of audit events by time, to compare it with another export.
# Guess before the run: the rows change places and every value stays as it is.
# Seen: the values change too. `true` becomes `True`, and `2026-11-20T09:15:02Z` becomes `2026-11-20T09:15:02+00:00`.
#   The option --no-inference (-I) leaves the values alone.
# Why it matters: a comparison of two exports then differs in every row, and a search for granted=true finds none.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
cat > export.csv <<'CSV'
event_ts,name,granted,trace_id
2026-11-20T09:15:03Z,Authz.portals,false,3360194145499877254
2026-11-20T09:15:02Z,Authz.control-planes,true,3360194145499877253
CSV
venv/bin/csvsort --version
echo '-- csvsort -c event_ts'
venv/bin/csvsort -c event_ts export.csv | tee inferred.csv
echo '-- csvsort -I -c event_ts'
venv/bin/csvsort -I -c event_ts export.csv | tee plain.csv
grep -qx '2026-11-20T09:15:02+00:00,Authz.control-planes,True,3360194145499877253' inferred.csv
grep -qx '2026-11-20T09:15:02Z,Authz.control-planes,true,3360194145499877253' plain.csv
