import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import type { ArgoSettings } from './validators.ts';

/** What a user puts into `argocd-cm`: the data of the ConfigMap in `argocd/`. */
export function argoSettings(): ArgoSettings {
  const ConfigMap = z.object({ data: z.record(z.string(), z.string()) });
  return ConfigMap.parse(parse(readFileSync('argocd/argocd-cm.yaml', 'utf8'))).data;
}
