import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import type { ArgoSettings } from './validators.ts';

/** Returns the data of the ConfigMap in `argocd/`, which users put into `argocd-cm`. */
export function argoSettings(): ArgoSettings {
  const ConfigMap = z.object({ data: z.record(z.string(), z.string()) });
  return ConfigMap.parse(parse(readFileSync('argocd/argocd-cm.yaml', 'utf8'))).data;
}
