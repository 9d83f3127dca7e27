/** The ConfigMap with Argo CD's health check and actions for our resource, generated from the scripts in `argocd/`. */
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { group, kind } from '../src/api/v1alpha1.ts';

const folder = `argocd/resource_customizations/${group}/${kind}`;
const actions = ['reconcile', 'replay', 'suspend', 'resume'];

export const argoConfigMapFile = 'argocd/argocd-cm.yaml';

/** Returns the ConfigMap as YAML. */
export function renderArgoConfigMap(): string {
  const script = (path: string) => readFileSync(`${folder}/${path}`, 'utf8');
  const definitions = actions.map((name) => ({ name, 'action.lua': script(`actions/${name}/action.lua`) }));
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'argocd-cm',
      namespace: 'argocd',
      labels: { 'app.kubernetes.io/name': 'argocd-cm', 'app.kubernetes.io/part-of': 'argocd' },
    },
    data: {
      [`resource.customizations.health.${group}_${kind}`]: script('health.lua'),
      [`resource.customizations.actions.${group}_${kind}`]: stringify(
        { 'discovery.lua': script('actions/discovery.lua'), definitions },
        { lineWidth: 0 },
      ),
    },
  };
  return (
    `# Generated from ${folder} by \`npm run generate\`. Do not edit.\n` +
    '# Merge it into the existing ConfigMap. An apply can remove keys of others.\n' +
    '# kubectl patch configmap argocd-cm -n argocd --type=merge --patch-file=argocd/argocd-cm.yaml\n' +
    stringify(configMap, { lineWidth: 0 })
  );
}
