#!/usr/bin/env bash
# Package: npm @biomejs/biome 2.6.8.
# A user of Biome runs "biome format --write ." in a repository that also holds a Helm chart.
# Guess before the run: a template with {{ .Values.name }} is no YAML for Biome. It reports an error and leaves the file alone.
# Seen: it reads {{ ... }} as a map in a map, writes { { .Values.name } } and reports a fixed file. Only templates with {{- are refused.
# Why it matters: Helm no longer finds an action there. The chart of an operator is broken by a formatter that said "Fixed 1 file".
# The folder of the templates has to be excluded in biome.json.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @biomejs/biome@2.6.8
mkdir -p chart/templates
cat >chart/templates/secret.yaml <<'TEMPLATE'
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Values.name }}
TEMPLATE
npx biome --version
{
  grep name: chart/templates/secret.yaml
  npx biome format --write chart 2>&1 | grep -oE 'Fixed 1 file'
  grep name: chart/templates/secret.yaml
} | tee seen.txt
diff seen.txt - <<'SEEN'
  name: {{ .Values.name }}
Fixed 1 file
  name: { { .Values.name } }
SEEN
