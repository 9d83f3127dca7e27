/** `npm run generate`: writes all generated files. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureHelm } from '../sandbox/control-plane/helm.ts';
import { publishedFiles } from '../test/bench/publish.ts';
import { argoConfigMapFile, renderArgoConfigMap } from './argocd.ts';
import { renderBundle } from './bundle/bundle.ts';
import { renderComponents } from './components.ts';
import { conditionsFile, messagesFile, renderConditions, renderMessages } from './conditions/pages.ts';
import { crdFile, renderCRD } from './crd.ts';
import { flagsFile, withFlagTable } from './flags.ts';
import { metricsFile, withMetricTable } from './metrics.ts';
import { dashboardFile, dashboardPage, renderDashboard, withPanels } from './monitoring/dashboard.ts';
import { alertsFile, monitoringFile, renderRules, rulesFile, withAlerts, withRules } from './monitoring/rules.ts';
import { chartCRDFile, manifestsFile, renderManifests, valuesPages, withValuesTable } from './render.ts';
import { runbookFile, withEntries } from './runbook.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  print(`wrote ${file}`);
}

write(crdFile, renderCRD());
write(chartCRDFile, renderCRD());
write(argoConfigMapFile, renderArgoConfigMap());
for (const page of valuesPages) write(page, withValuesTable(readFileSync(page, 'utf8'), page));
write(flagsFile, withFlagTable(readFileSync(flagsFile, 'utf8')));
write(metricsFile, withMetricTable(readFileSync(metricsFile, 'utf8')));
write(rulesFile, renderRules());
write(alertsFile, withAlerts(readFileSync(alertsFile, 'utf8')));
write(monitoringFile, withRules(readFileSync(monitoringFile, 'utf8')));
write(dashboardFile, renderDashboard());
write(dashboardPage, withPanels(readFileSync(dashboardPage, 'utf8')));
write(runbookFile, withEntries(readFileSync(runbookFile, 'utf8')));
write(conditionsFile, renderConditions());
write(messagesFile, renderMessages());
for (const [file, text] of await publishedFiles()) write(file, text);
const helm = await ensureHelm({ progress: print });
write(manifestsFile, await renderManifests(helm));
for (const [file, text] of await renderComponents(helm)) write(file, text);
for (const [file, text] of await renderBundle(helm)) write(`bundle/${file}`, text);
