#!/usr/bin/env bash
# Packages: PyPI prometheus-api-client 0.7.2 with pandas 3.1.1.
# A user reads a ratio over time, rejected batches by all batches, into Python. In a quiet minute it is 0/0, which Prometheus writes as "NaN".
# Guess before the run: MetricsList turns the values into floats, with NaN where Prometheus says NaN.
# Seen: it raises ValueError, unable to parse string "NaN". Without the NaN it works. MetricRangeDataFrame takes the same answer.
# Why it matters: a weekly report on deliveries fails as soon as one minute of the week had no delivery at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check prometheus-api-client==0.7.2 pandas==3.1.1
cat >read.py <<'PY'
import warnings
from prometheus_api_client import MetricRangeDataFrame, MetricsList
warnings.simplefilter("ignore")
for values in [["0.25", "0.5"], ["0.25", "NaN"]]:
    answer = [{"metric": {"__name__": "rejected", "portal": "partners"}, "values": [[60 * i, v] for i, v in enumerate(values)]}]
    try:
        print(values, "MetricsList:", list(MetricsList(answer)[0].metric_values["y"]))
    except ValueError as error:
        print(values, "MetricsList:", error)
    print(values, "MetricRangeDataFrame:", [float(v) for v in MetricRangeDataFrame(answer)["value"]])
PY
venv/bin/python read.py | tee seen.txt
diff seen.txt - <<'SEEN'
['0.25', '0.5'] MetricsList: [0.25, 0.5]
['0.25', '0.5'] MetricRangeDataFrame: [0.25, 0.5]
['0.25', 'NaN'] MetricsList: Unable to parse string 'NaN' at position 1
['0.25', 'NaN'] MetricRangeDataFrame: [0.25, nan]
SEEN
