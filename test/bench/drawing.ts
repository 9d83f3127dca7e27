/** Draws ratios as an SVG without scripts, fonts or links. Pure: the same results give the same SVG. */
import { escapeMarkup } from '../../scripts/terminal-svg.ts';
import { ratioTo } from './comparison.ts';
import type { RowResult } from './results.ts';
import { goOperator } from './row.ts';

interface Bar {
  readonly label: string;
  readonly ratio: number;
  readonly limit: number | undefined;
}

const width = 860;
const labelWidth = 330;
const barHeight = 16;
const gap = 8;
const top = 64;
const plotWidth = width - labelWidth - 70;
/** The ends of the logarithmic axis. */
const [least, most] = [0.1, 10];
const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10];

/** Returns a bar for each figure with a unit that was measured beside the Go operator. */
export function drawRatios(results: readonly RowResult[]): string {
  const bars = results.flatMap(barsOf);
  const height = top + bars.length * (barHeight + gap) + 48;
  const title = 'Ratio of the operator to a Go operator with the same job';
  const description = bars.map(({ label, ratio }) => `${label}: ${ratio.toFixed(2)}`).join('. ');
  const axis = ticks.map(
    (tick) => `<path class="${tick === 1 ? 'one' : 'grid'}" d="M${x(tick)} ${String(top - 8)}V${String(height - 40)}"/>
<text x="${x(tick)}" y="${String(height - 24)}" text-anchor="middle">${String(tick)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-labelledby="title description">
<title id="title">${title}</title>
<desc id="description">${escapeMarkup(description)}</desc>
<style>
text{font:12px system-ui,sans-serif;fill:#24292f}
.title{font-size:15px;font-weight:bold}
.grid{stroke:#d0d7de}.one{stroke:#24292f}.limit{stroke:#24292f;stroke-width:2}
.met{fill:#1a7f37}.missed{fill:#bf3989}.open{fill:#57606a}
.page{fill:#fff}
@media (prefers-color-scheme:dark){text{fill:#c9d1d9}.page{fill:#0d1117}.grid{stroke:#30363d}.one,.limit{stroke:#c9d1d9}.met{fill:#3fb950}.missed{fill:#f778ba}.open{fill:#8b949e}}
</style>
<rect class="page" width="100%" height="100%" rx="8"/>
<text class="title" x="16" y="26">${title}</text>
<text x="16" y="46">Left of 1: the operator needs less. The short line on a bar is the target.</text>
${axis.join('\n')}
${bars.map((bar, index) => drawBar(bar, top + index * (barHeight + gap))).join('\n')}
</svg>
`;
}

function barsOf({ row, forwardings, figures }: RowResult): Bar[] {
  return figures.flatMap((figure) => {
    const ratio = ratioTo(figure, goOperator);
    if (ratio === undefined || ratio <= 0 || figure.better === 'more' || figure.unit === '') return [];
    const limit = figure.targets?.find((target) => target.ratioTo === goOperator)?.limit;
    return [{ label: `${row}, ${figure.name} (${forwardings.toLocaleString('en-US')})`, ratio, limit }];
  });
}

function drawBar({ label, ratio, limit }: Bar, y: number): string {
  const [from, to] = [Math.min(position(ratio), position(1)), Math.max(position(ratio), position(1))];
  const kind = limit === undefined ? 'open' : ratio <= limit ? 'met' : 'missed';
  const middle = String(y + barHeight - 4);
  const target =
    limit === undefined ? '' : `<path class="limit" d="M${x(limit)} ${String(y - 2)}V${String(y + barHeight + 2)}"/>`;
  return `<text x="${String(labelWidth - 8)}" y="${middle}" text-anchor="end">${escapeMarkup(label)}</text>
<rect class="${kind}" x="${from.toFixed(1)}" y="${String(y)}" width="${Math.max(1, to - from).toFixed(1)}" height="${String(barHeight)}"/>
${target}<text x="${String(width - 12)}" y="${middle}" text-anchor="end">${ratio.toFixed(2)}</text>`;
}

function position(ratio: number): number {
  const within = Math.min(most, Math.max(least, ratio));
  return labelWidth + (plotWidth * Math.log(within / least)) / Math.log(most / least);
}

function x(ratio: number): string {
  return position(ratio).toFixed(1);
}
