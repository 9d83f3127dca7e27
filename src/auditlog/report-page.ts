/** Renders the page of `auditlog report`. It has no script and loads nothing. Pure. */
import { escapeHTML } from './escape-html.ts';
import { conditionIn, type ForwardingView, gapsIn, isRefuted, kindOf } from './forwarding-view.ts';
import type { ReportData, ReportedForwarding } from './report-data.ts';
import { timeline } from './report-timeline.ts';

/** Returns the page. `hash` is the SHA-256 of the file with the same data, whose name is `dataFile`. */
export function reportPage(data: ReportData, { hash, dataFile }: { hash: string; dataFile: string }): string {
  const { from, to, generatedTime, versions, forwardings, notes } = data;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>Audit log report, ${day(from)} to ${day(to)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Forwarding of Konnect audit logs</h1>
<p class="period">${shown(from)} to ${shown(to)}, generated ${shown(generatedTime)}</p>
${verdict(forwardings)}
<h2>What is forwarded</h2>
${table(['Forwarding', 'Webhook', 'Organization, region', 'Destination', 'Created', 'Delivery', 'Last delivered'], forwardings.flatMap(forwardedRows))}
<h2>Timeline</h2>
${forwardings.some(({ webhooks }) => webhooks.length > 0) ? `<figure>${timeline(data)}<figcaption>${legend}</figcaption></figure>` : '<p>No webhook is known.</p>'}
<p>The cluster keeps the present state, the open gaps and the last replay of each webhook. Green therefore says that no gap is recorded, and not that each delivery was seen.</p>
<h2>Gaps and replays</h2>
${table(['Forwarding', 'Webhook', 'Gap', 'Replay'], forwardings.flatMap(gapRows), 'No gap is open, and no replay is recorded.')}
<h2>Verification</h2>
${table(['Forwarding', 'Result', 'Verified', 'Entries', 'Found', 'Missing', 'Unsigned', 'Invalid', 'Foreign'], forwardings.flatMap(verificationRows), 'No forwarding is compared with its SIEM.')}
<h2>Who changed what</h2>
${table(['Time', 'Forwarding', 'Who', 'What'], happeningRows(forwardings), 'Nothing is recorded in this period.')}
<p>Kubernetes usually keeps events for an hour, and the operator keeps corrections for 24 hours.</p>
<h2>Versions and data</h2>
<dl>
<dt>auditlog</dt><dd>${escapeHTML(versions.auditlog)}</dd>
<dt>Operator</dt><dd>${escapeHTML(versions.operators.join('; ') || 'not seen in this cluster')}</dd>
<dt>Kubernetes</dt><dd>${escapeHTML(versions.kubernetes ?? 'not known')}</dd>
<dt>Data</dt><dd>${escapeHTML(dataFile)}, SHA-256 <code>${hash}</code></dd>
</dl>
${notes.map((note) => `<p>${escapeHTML(note)}</p>`).join('\n')}
</main>
</body>
</html>
`;
}

function verdict(forwardings: readonly ForwardingView[]): string {
  const kinds = forwardings.flatMap(({ webhooks }) =>
    webhooks.map(({ state, gap }) => (gap === undefined ? kindOf(state) : 'bad')),
  );
  const count = (kind: (typeof kinds)[number]) => kinds.filter((one) => one === kind).length;
  const [good, open, bad] = [count('good'), count('open'), count('bad')];
  const refuted = forwardings.filter(isRefuted).length;
  const unseen = forwardings.filter(({ isOutdated, isSuspended }) => isOutdated || isSuspended).length;
  const kind = bad + refuted > 0 ? 'bad' : open + unseen > 0 || kinds.length === 0 ? 'open' : 'good';
  const parts = [
    `${String(good)} of ${String(kinds.length)} webhooks deliver without a recorded gap`,
    ...(bad === 0 ? [] : [`${String(bad)} fail or have a gap`]),
    ...(open === 0 ? [] : [`${String(open)} are not known`]),
    ...(refuted === 0 ? [] : [`the verification of ${String(refuted)} forwardings failed`]),
    ...(unseen === 0 ? [] : [`${String(unseen)} forwardings are suspended, or the operator does not look at them`]),
  ];
  return `<p class="verdict ${kind}">${parts.join('; ')}.</p>`;
}

function forwardedRows(forwarding: ReportedForwarding): string[][] {
  const { namespace, name, organizationID, region, destination, created } = forwarding;
  return forwarding.webhooks.map(({ key, state, reason, lastResponseCode, lastDeliveredTime }) => [
    escapeHTML(`${namespace}/${name}`),
    code(key),
    `${code(organizationID ?? 'not proved')} ${escapeHTML(region)}`,
    destination === undefined ? 'none' : `${escapeHTML(destination.name)} ${code(destination.id ?? '')}`,
    shown(created),
    badge(state, kindOf(state), [reason, lastResponseCode].filter((one) => one !== undefined).join(', ')),
    shown(lastDeliveredTime),
  ]);
}

function gapRows({ namespace, name, webhooks }: ReportedForwarding): string[][] {
  return webhooks.flatMap((webhook) => {
    const { key, replay } = webhook;
    const gaps = gapsIn(webhook).map(({ from, to }) => `${shown(from)} to ${to === undefined ? 'now' : shown(to)}`);
    if (gaps.length === 0 && replay === undefined) return [];
    const job =
      replay === undefined ? 'none' : `${escapeHTML(replay.state)}: ${shown(replay.from)} to ${shown(replay.to)}`;
    return [[escapeHTML(`${namespace}/${name}`), code(key), gaps.join(', ') || 'none', job]];
  });
}

function verificationRows(forwarding: ReportedForwarding): string[][] {
  const { verification } = forwarding;
  const condition = conditionIn(forwarding, 'Verified');
  if (verification === undefined && condition === undefined) return [];
  const counts = ['entries', 'found', 'missing', 'unsigned', 'invalidSignatures', 'foreign'] as const;
  return [
    [
      escapeHTML(`${forwarding.namespace}/${forwarding.name}`),
      condition === undefined
        ? 'none yet'
        : condition.status === 'True'
          ? badge('Verified', 'good', condition.reason)
          : badge('Not verified', isRefuted(forwarding) ? 'bad' : 'open', condition.reason),
      shown(verification?.lastVerifiedTime),
      ...counts.map((count) => String(verification?.[count] ?? '-')),
    ],
  ];
}

function happeningRows(forwardings: readonly ReportedForwarding[]): string[][] {
  return forwardings
    .flatMap(({ namespace, name, happenings }) => happenings.map((one) => ({ ...one, of: `${namespace}/${name}` })))
    .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
    .map(({ time, of, who, what }) => [shown(time), escapeHTML(of), escapeHTML(who), escapeHTML(what)]);
}

/** `rows` are HTML. `empty` stands for a table without rows. */
function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty = 'There is no forwarding.',
): string {
  if (rows.length === 0) return `<p>${empty}</p>`;
  const head = headings.map((one) => `<th scope="col">${one}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<div class="wide" role="region" aria-label="${headings.join(', ')}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

function badge(word: string, kind: ReturnType<typeof kindOf>, more: string): string {
  return `<span class="badge ${kind}">${escapeHTML(word)}</span>${more === '' ? '' : ` ${escapeHTML(more)}`}`;
}

function code(text: string): string {
  return `<code>${escapeHTML(text)}</code>`;
}

function shown(time: string | undefined): string {
  if (time === undefined || Number.isNaN(Date.parse(time))) return '-';
  const iso = new Date(time).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function day(time: string): string {
  return time.slice(0, 10);
}

const legend =
  [
    ['known', 'no gap is recorded'],
    ['failing', 'deliveries fail'],
    ['gap', 'gap'],
    ['replay', 'replayed'],
    ['unknown', 'nothing is known'],
  ]
    .map(([kind = '', text = '']) => `<span><span class="key ${kind}"></span>${text}</span>`)
    .join(' ') + ' <span><span class="key correction"></span>a change of another client was corrected</span>';

const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1c2024; --soft: #5c6670; --line: #d5dae0; --field: #eef1f4; --good: #1a7f4b; --open: #8a6100; --bad: #c02a2a; --replay: #1f6fbf; }
@media (prefers-color-scheme: dark) { :root { --page: #14181c; --text: #e8ebee; --soft: #a3adb8; --line: #343c45; --field: #222930; --good: #4cc38a; --open: #e0b040; --bad: #ff7b72; --replay: #6cb2ff; } }
@media print { :root { color-scheme: light; --page: #fff; --text: #000; --soft: #444; --line: #bbb; --field: #eee; --good: #1a7f4b; --open: #8a6100; --bad: #c02a2a; --replay: #1f6fbf; } .wide { overflow: visible; } tr, figure { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; } }
* { box-sizing: border-box; print-color-adjust: exact; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.15rem; }
p { margin: .5rem 0; } .period, figcaption, dt { color: var(--soft); }
.verdict { margin: 1.2rem 0 0; padding: .7rem 1rem; border-left: .3rem solid; background: var(--field); font-weight: 600; }
.verdict.good { border-color: var(--good); } .verdict.open { border-color: var(--open); } .verdict.bad { border-color: var(--bad); }
.wide { overflow-x: auto; } table { width: 100%; border-collapse: collapse; font-size: .86rem; }
th, td { padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; } code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
time { white-space: nowrap; } .badge { font-weight: 600; } .badge.good { color: var(--good); } .badge.open { color: var(--open); } .badge.bad { color: var(--bad); }
figure { margin: 0; } figcaption { display: flex; flex-wrap: wrap; gap: 0 1.1rem; } svg { display: block; width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
svg text.key, svg text.tick { font-size: 11px; fill: var(--soft); } line.tick { stroke: var(--line); }
.unknown { fill: var(--field); background: var(--field); } .known { fill: var(--good); background: var(--good); } .failing { fill: var(--open); background: var(--open); }
.replay { fill: var(--replay); background: var(--replay); } .gap { fill: url(#hatch); background: repeating-linear-gradient(45deg, var(--bad) 0 2px, var(--page) 2px 5px); }
.hatch-ground { fill: var(--page); } .hatch-line { stroke: var(--bad); stroke-width: 6; } circle.correction { fill: var(--page); stroke: var(--text); stroke-width: 2; }
span.key { display: inline-block; width: 1.4rem; height: .8rem; margin: 0 .35rem 0 0; vertical-align: baseline; border: 1px solid var(--line); } span.key.correction { width: .8rem; border: 2px solid var(--text); border-radius: 50%; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 0; } dd { margin: 0; overflow-wrap: anywhere; }
`;
