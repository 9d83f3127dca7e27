#!/usr/bin/env bash
# Package: npm @grafana/grafana-foundation-sdk 0.0.21.
# A user builds the dashboard of an exporter in TypeScript, with two rows, and puts it into a ConfigMap.
# Guess before the run: panels are laid out by themselves and numbered 1, 2, 3.
# Seen: they are laid out, but no panel has an id, and both rows have the same one, 0.
# Why it matters: links of alerts to a panel (viewPanel) and tools that compare or address panels go by the id.
# It has to be set for each panel and each row by hand, or it is made up anew wherever the file is loaded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @grafana/grafana-foundation-sdk@0.0.21
cat >build.cjs <<'JS'
const { DashboardBuilder, RowBuilder } = require('@grafana/grafana-foundation-sdk/dashboard');
const { PanelBuilder } = require('@grafana/grafana-foundation-sdk/timeseries');
const dashboard = new DashboardBuilder('Forwarding')
  .withRow(new RowBuilder('Delivery'))
  .withPanel(new PanelBuilder().title('Lines'))
  .withPanel(new PanelBuilder().title('Errors'))
  .withRow(new RowBuilder('Konnect'))
  .withPanel(new PanelBuilder().title('Requests'))
  .build();
for (const { title, id, gridPos } of dashboard.panels) console.log(`${title}: id ${id}, x ${gridPos.x}, y ${gridPos.y}`);
JS
node build.cjs | tee seen.txt
diff seen.txt - <<'SEEN'
Delivery: id 0, x 0, y 0
Lines: id undefined, x 0, y 1
Errors: id undefined, x 12, y 1
Konnect: id 0, x 0, y 10
Requests: id undefined, x 0, y 11
SEEN
