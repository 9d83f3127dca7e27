/** Draws the timeline of `auditlog report`: one line for each webhook. Pure. */
import { escapeHTML } from './escape-html.ts';
import { gapsIn, type WebhookView } from './forwarding-view.ts';
import type { ReportData, ReportedForwarding } from './report-data.ts';

const width = 960;
const labelWidth = 330;
const rowHeight = 34;
const top = 30;

/** A part of a line. The class decides about color and pattern. */
interface Bar {
  readonly kind: 'known' | 'failing' | 'gap' | 'replay';
  readonly from: string;
  readonly to: string;
  readonly what: string;
}

/** Returns the picture as SVG. Every bar has a title, and the picture has a description of all of them. */
export function timeline({ from, to, forwardings }: ReportData): string {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const x = (time: string | number) => {
    const ms = typeof time === 'number' ? time : Date.parse(time);
    const part = (Math.min(Math.max(ms, fromMs), toMs) - fromMs) / Math.max(1, toMs - fromMs);
    return Math.round(labelWidth + part * (width - labelWidth - 10));
  };
  const rows = forwardings.flatMap((forwarding) => forwarding.webhooks.map((webhook) => ({ forwarding, webhook })));
  const height = top + rows.length * rowHeight + 10;
  const described: string[] = [];
  const lines = rows.map(({ forwarding, webhook }, index) => {
    const y = top + index * rowHeight;
    const bars = barsOf(forwarding, webhook, to).filter(
      (bar) => Date.parse(bar.to) >= fromMs && Date.parse(bar.from) <= toMs,
    );
    described.push(
      `${nameOf(webhook)} of ${forwarding.namespace}/${forwarding.name}: ${bars.map(({ what }) => what).join('; ') || 'nothing is known'}`,
    );
    return [
      `<text x="0" y="${String(y + 11)}" class="name">${escapeHTML(`${forwarding.namespace}/${forwarding.name}`)}</text>`,
      `<text x="0" y="${String(y + 25)}" class="key">${escapeHTML(nameOf(webhook))}</text>`,
      `<rect class="unknown" x="${String(labelWidth)}" y="${String(y + 4)}" width="${String(width - labelWidth - 10)}" height="18"></rect>`,
      ...bars.map((bar) => {
        const [start, end] = [x(bar.from), x(bar.to)];
        // A gap is lower, so that what it covers stays visible.
        const [inset, barHeight] = bar.kind === 'gap' ? [13, 9] : [4, 18];
        return `<rect class="${bar.kind}" x="${String(start)}" y="${String(y + inset)}" width="${String(Math.max(3, end - start))}" height="${String(barHeight)}"><title>${escapeHTML(bar.what)}</title></rect>`;
      }),
      ...correctionTimes(forwarding, webhook).map(
        (time) =>
          `<circle class="correction" cx="${String(x(time))}" cy="${String(y + 13)}" r="4"><title>${escapeHTML(`corrected at ${time}`)}</title></circle>`,
      ),
    ].join('');
  });
  const ticks = Array.from({ length: 5 }, (_, index) => fromMs + (index * (toMs - fromMs)) / 4).map((ms, index) => {
    const anchor = index === 0 ? 'start' : index === 4 ? 'end' : 'middle';
    const label = new Date(ms).toISOString().slice(5, 16).replace('T', ' ');
    return `<line class="tick" x1="${String(x(ms))}" x2="${String(x(ms))}" y1="${String(top - 8)}" y2="${String(height - 8)}"></line><text class="tick" x="${String(x(ms))}" y="14" text-anchor="${anchor}">${label}</text>`;
  });
  const pattern =
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"></rect><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"></line></pattern></defs>';
  return `<svg viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-labelledby="timeline-title" aria-describedby="timeline-text"><title id="timeline-title">Deliveries and gaps of each webhook</title><desc id="timeline-text">${escapeHTML(described.join('. '))}</desc>${pattern}${ticks.join('')}${lines.join('')}</svg>`;
}

function nameOf({ key }: WebhookView): string {
  return key === 'organization' ? "the organization's webhook" : `portal ${key}`;
}

/** Returns the bars, those that matter most last, so that they are drawn above the others. */
function barsOf(forwarding: ReportedForwarding, webhook: WebhookView, to: string): Bar[] {
  const { state, since, lastDeliveredTime, failingSince, replay } = webhook;
  const isKnown = lastDeliveredTime !== undefined || state === 'Delivered';
  const from = forwarding.created ?? since;
  const end = failingSince ?? (state === 'Delivered' ? to : lastDeliveredTime);
  const bars: Bar[] = [];
  if (isKnown && from !== undefined && end !== undefined)
    bars.push({ kind: 'known', from, to: end, what: `no gap is recorded from ${from} to ${end}` });
  if (failingSince !== undefined)
    bars.push({ kind: 'failing', from: failingSince, to, what: `deliveries fail since ${failingSince}` });
  for (const gap of gapsIn(webhook))
    bars.push({ kind: 'gap', from: gap.from, to: gap.to ?? to, what: `gap from ${gap.from} to ${gap.to ?? 'now'}` });
  if (replay?.from !== undefined && replay.to !== undefined)
    bars.push({
      kind: 'replay',
      from: replay.from,
      to: replay.to,
      what: `replay of ${replay.from} to ${replay.to}: ${replay.state}`,
    });
  return bars;
}

function correctionTimes({ corrections }: ReportedForwarding, { key }: WebhookView): readonly string[] {
  const object = key === 'organization' ? key : `portal/${key}`;
  return corrections.filter((one) => one.object === object || one.object === 'destination').flatMap(({ at }) => at);
}
