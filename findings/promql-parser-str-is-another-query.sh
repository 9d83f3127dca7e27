#!/usr/bin/env bash
# Package: PyPI promql-parser 0.12.0.
# A user's script adds a label to each alert expression: parse the query, change it, write str() of the result into the rule file.
# Guess before the run: str() of an unchanged query is the same query, perhaps with other blanks; quotes and backslashes are escaped again.
# Seen: str() turns the subquery x[5m:] into the range x[5m], and prints a quote or backslash in a string without its escape. prettify() keeps all of it.
# Why it matters: x[5m:] also sees samples that are older than five minutes, by the lookback; x[5m] does not. An alert on a slow exporter goes silent.
# A pattern with an escaped dot comes out as text that Prometheus refuses.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check promql-parser==0.12.0
cat >print.py <<'PY'
import promql_parser
for query in ['max_over_time(ready[5m:])', r'label_replace(ready, "host", "$1", "instance", "(.*)\\.example")']:
    parsed = promql_parser.parse(query)
    print("query:   ", query)
    print("str:     ", parsed)
    print("prettify:", parsed.prettify())
    try:
        promql_parser.parse(str(parsed))
        print("str() is valid")
    except ValueError:
        print("str() is not valid")
PY
venv/bin/python print.py | tee seen.txt
diff seen.txt - <<'SEEN'
query:    max_over_time(ready[5m:])
str:      max_over_time(ready{}[5m])
prettify: max_over_time(ready[5m:])
str() is valid
query:    label_replace(ready, "host", "$1", "instance", "(.*)\\.example")
str:      label_replace(ready{}, "host", "$1", "instance", "(.*)\.example")
prettify: label_replace(ready, "host", "$1", "instance", "(.*)\\.example")
str() is not valid
SEEN
