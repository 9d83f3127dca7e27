/** Turns the answers of Prometheus into data frames of Grafana, as its data source for Prometheus does. */
import { type DataFrame, type Field, FieldType, type Labels } from '@grafana/data';
import type { Answer, Target } from './input.ts';

const number = (text: string) => (text === 'NaN' ? Number.NaN : Number(text.replace('Inf', 'Infinity')));

/** Returns the name of a series: the legend with its labels filled in. */
function nameOf(legend: string, labels: Labels): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
}

/** Returns a frame for each series. Where a series has no value, the line has a gap. */
export function seriesFrames({ refId, legendFormat = '' }: Target, { series, times }: Answer): DataFrame[] {
  return series.map(({ metric, values }) => {
    const known = new Map(values.map(([time, value]) => [time, number(value)]));
    return frame(refId, [
      field(
        'Time',
        FieldType.time,
        times.map((time) => time * 1_000),
      ),
      {
        ...field(
          'Value',
          FieldType.number,
          times.map((time) => known.get(time) ?? null),
        ),
        labels: metric,
        config: { displayNameFromDS: nameOf(legendFormat, metric) },
      },
    ]);
  });
}

/** Returns one frame with a column for each label, and one for the values. */
export function tableFrames({ refId }: Target, { series }: Answer, isOnly: boolean): DataFrame[] {
  if (series.length === 0) return [];
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].toSorted();
  const last = series.map(({ values }) => values.at(-1) ?? ([0, 'NaN'] as const));
  return [
    frame(refId, [
      field(
        'Time',
        FieldType.time,
        last.map(([time]) => time * 1_000),
      ),
      ...labels.map((label) =>
        field(
          label,
          FieldType.string,
          series.map(({ metric }) => metric[label] ?? ''),
        ),
      ),
      field(
        isOnly ? 'Value' : `Value #${refId}`,
        FieldType.number,
        last.map(([, value]) => number(value)),
      ),
    ]),
  ];
}

function field(name: string, type: FieldType, values: unknown[]): Field {
  return { name, type, values, config: {} };
}

function frame(refId: string, fields: Field[]): DataFrame {
  return { refId, fields, length: fields[0]?.values.length ?? 0 };
}
