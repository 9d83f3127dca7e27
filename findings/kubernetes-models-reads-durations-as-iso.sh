#!/usr/bin/env bash
# Packages: npm @kubernetes-models/crd-generate 5.1.0 with @kubernetes-models/base 6.0.1, validate 5.0.2, apimachinery 3.0.2, and esbuild 0.28.2.
# A user generates TypeScript models from a CRD and calls validate() in a unit test. The CRD has an interval with format: duration.
# Guess before the run: "1m" is valid and "PT5M" is not, as durations of Kubernetes are written.
# Seen: the other way round. validate() demands an ISO 8601 duration: "PT5M" passes, "1m" and "1.5h" are refused.
# Why it matters: the manifests of every operator that is written in Go fail in the test, although the API server takes them.
# What makes the test green, PT5M, is what a Go operator cannot read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @kubernetes-models/crd-generate@5.1.0 @kubernetes-models/base@6.0.1 \
  @kubernetes-models/validate@5.0.2 @kubernetes-models/apimachinery@3.0.2 esbuild@0.28.2
cat >crd.yaml <<'YAML'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: auditroutes.example.com}
spec:
  group: example.com
  names: {kind: AuditRoute, listKind: AuditRouteList, plural: auditroutes, singular: auditroute}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {interval: {type: string, format: duration}}}
YAML
npx crd-generate --input crd.yaml --output models >generate.txt 2>&1
cat >validate.ts <<'TS'
import { AuditRoute } from './models/example.com/v1/AuditRoute';
for (const interval of ['1m', '1.5h', 'PT5M']) {
  try {
    new AuditRoute({ metadata: { name: 'replay' }, spec: { interval } }).validate();
    console.log(`${interval}: valid`);
  } catch (error) {
    console.log(`${interval}: ${(error as Error).message}`);
  }
}
TS
npx esbuild validate.ts --bundle --platform=node --outfile=validate.js --log-level=error
node --no-deprecation validate.js | tee seen.txt
diff seen.txt - <<'SEEN'
1m: data/spec/interval must match format "duration"
1.5h: data/spec/interval must match format "duration"
PT5M: valid
SEEN
