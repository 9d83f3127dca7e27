/** Draws the dashboard with Grafana's own components, transformations, units and colors. */
import {
  applyFieldOverrides,
  createTheme,
  type DataFrame,
  type Field,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  FieldType,
  type GrafanaTheme2,
  getFieldDisplayName,
  getFieldDisplayValues,
  standardTransformers,
  standardTransformersRegistry,
  ThemeContext,
  type TimeRange,
  toUtc,
  transformDataFrame,
} from '@grafana/data';
import {
  BigValue,
  type BigValueColorMode,
  BigValueGraphMode,
  GlobalStyles,
  PanelChrome,
  Table,
  TimeSeries,
} from '@grafana/ui';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { lastValueFrom } from 'rxjs';
import { seriesFrames, tableFrames } from './frames.ts';
import type { Input, PanelModel } from './input.ts';

declare global {
  interface Window {
    readonly input: Input;
  }
}

// The grid of Grafana's dashboards.
const [columns, rowHeight, gap] = [24, 30, 8];
const theme: GrafanaTheme2 = createTheme({ colors: { mode: 'dark' } });
const { input } = window;
const column = (input.width - gap) / columns;
const timeRange: TimeRange = {
  from: toUtc(input.from * 1_000),
  to: toUtc(input.to * 1_000),
  raw: { from: toUtc(input.from * 1_000), to: toUtc(input.to * 1_000) },
};

standardTransformersRegistry.setInit(() =>
  [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer].map((info) => ({
    id: info.id,
    name: info.name,
    transformation: () => Promise.resolve(info),
    editor: () => null,
    imageDark: '',
    imageLight: '',
  })),
);

/** The properties of a field that the dashboard sets. */
const properties = new FieldConfigOptionsRegistry(() =>
  ['unit', 'min', 'max', 'decimals', 'noValue', 'thresholds', 'mappings', 'color', 'custom.width'].map(
    (id): FieldConfigPropertyItem => ({
      id,
      path: id.replace('custom.', ''),
      isCustom: id.startsWith('custom.'),
      name: id,
      editor: () => null,
      override: () => null,
      process: (value) => value,
      shouldApply: () => true,
    }),
  ),
);

async function framesOf(panel: PanelModel): Promise<DataFrame[]> {
  const targets = panel.targets ?? [];
  const answers = input.answers[panel.id] ?? [];
  const frames = targets.flatMap((target, index) => {
    const answer = answers[index];
    if (answer === undefined) return [];
    return target.format === 'table' ? tableFrames(target, answer, targets.length === 1) : seriesFrames(target, answer);
  });
  const transformed = await lastValueFrom(transformDataFrame([...(panel.transformations ?? [])], frames));
  const fieldConfig = fieldConfigOf(panel);
  return applyFieldOverrides({
    data: transformed,
    fieldConfig,
    fieldConfigRegistry: properties,
    replaceVariables: (value) => value,
    theme,
    timeZone: 'utc',
  }).map((frame) => ({ ...frame, fields: frame.fields.map((field) => withCustom(field, fieldConfig)) }));
}

/** Returns the settings of a panel, with the color that Grafana gives to lines by default. */
function fieldConfigOf({ type, fieldConfig }: PanelModel): FieldConfigSource {
  const { defaults = {}, overrides = [] }: Partial<FieldConfigSource> = Object(fieldConfig);
  return {
    defaults: type === 'timeseries' ? { color: { mode: 'palette-classic' }, ...defaults } : defaults,
    overrides,
  };
}

function withCustom(field: Field, { defaults }: FieldConfigSource): Field {
  if (field.type !== FieldType.number) return field;
  return { ...field, config: { ...field.config, custom: { ...defaults.custom, ...field.config.custom } } };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function Empty({ panel }: { readonly panel: PanelModel }): ReactNode {
  const style = { display: 'grid', placeItems: 'center', height: '100%', color: theme.colors.text?.secondary };
  return <div style={style}>{fieldConfigOf(panel).defaults.noValue ?? 'No data'}</div>;
}

function Stat({
  panel,
  frames,
  width,
  height,
}: Size & { readonly panel: PanelModel; readonly frames: DataFrame[] }): ReactNode {
  const options: { colorMode: BigValueColorMode; reduceOptions: { calcs: string[] } } = Object(panel.options);
  const [shown] = getFieldDisplayValues({
    data: frames,
    fieldConfig: fieldConfigOf(panel),
    reduceOptions: options.reduceOptions,
    replaceVariables: (value) => value,
    theme,
    timeZone: 'utc',
  });
  if (shown === undefined) return <Empty panel={panel} />;
  return (
    <BigValue
      theme={theme}
      width={width}
      height={height}
      value={{ ...shown.display, title: '' }}
      colorMode={options.colorMode}
      graphMode={BigValueGraphMode.None}
    />
  );
}

function Lines({
  panel,
  frames,
  width,
  height,
}: Size & { readonly panel: PanelModel; readonly frames: DataFrame[] }): ReactNode {
  const { legend } = Object(panel.options);
  return (
    <TimeSeries frames={frames} width={width} height={height} timeRange={timeRange} timeZone="utc" legend={legend} />
  );
}

/** A bar for each series. Grafana's own component is not in its packages. */
function States({ frames, width, height }: Size & { readonly frames: DataFrame[] }): ReactNode {
  const nameWidth = 420;
  const rows = frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => ({ field, name: getFieldDisplayName(field, frame) })),
  );
  return (
    <div style={{ display: 'grid', gap: 8, alignContent: 'start', height, fontSize: 12 }}>
      {rows.map(({ field, name }) => (
        <div key={name} style={{ display: 'flex', alignItems: 'center' }}>
          <div style={{ width: nameWidth, color: theme.colors.text?.secondary }}>{name}</div>
          <div style={{ position: 'relative', height: 30, width: width - nameWidth }}>
            {spans(field.values).map(({ start, end, value }) => {
              const { text, color } = field.display?.(value) ?? { text: '' };
              const percent = (index: number) => `${String((100 * index) / field.values.length)}%`;
              const place = {
                position: 'absolute',
                left: percent(start),
                width: percent(end - start),
                height: '100%',
              } as const;
              const look = { background: color, opacity: 0.8, padding: '6px 4px', overflow: 'hidden', color: 'black' };
              return (
                <div key={start} style={{ ...place, ...look }}>
                  {text}
                </div>
              );
            })}
          </div>
        </div>
      ))}
    </div>
  );
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
}

/** Returns the ranges of equal values, without those that have none. */
function spans(values: readonly unknown[]): Span[] {
  const starts = values.flatMap((value, index) => (index === 0 || value !== values[index - 1] ? [index] : []));
  return starts
    .map((start, index) => ({ start, end: starts[index + 1] ?? values.length, value: values[start] }))
    .filter(({ value }) => value !== null);
}

function Content({
  panel,
  frames,
  ...size
}: Size & { readonly panel: PanelModel; readonly frames: DataFrame[] }): ReactNode {
  const [first] = frames;
  if (panel.type === 'stat') return <Stat panel={panel} frames={frames} {...size} />;
  if (first === undefined || first.length === 0) return <Empty panel={panel} />;
  if (panel.type === 'timeseries') return <Lines panel={panel} frames={frames} {...size} />;
  if (panel.type === 'state-timeline') return <States frames={frames} {...size} />;
  return <Table data={first} {...size} />;
}

function Panel({ panel, frames }: { readonly panel: PanelModel; readonly frames: DataFrame[] }): ReactNode {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * column - gap, h * (rowHeight + gap) - gap];
  const style = {
    position: 'absolute',
    left: gap + x * column,
    top: y * (rowHeight + gap) + 50,
    width,
    height,
  } as const;
  if (panel.type === 'row')
    return <div style={{ ...style, fontSize: 16, fontWeight: 500, paddingTop: 4 }}>⌄ {panel.title}</div>;
  return (
    <div style={style}>
      <PanelChrome title={panel.title} width={width} height={height} padding="md">
        {(innerWidth, innerHeight) => <Content panel={panel} frames={frames} width={innerWidth} height={innerHeight} />}
      </PanelChrome>
    </div>
  );
}

function Dashboard({ frames }: { readonly frames: readonly DataFrame[][] }): ReactNode {
  const rows = Math.max(...input.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <main id="dashboard" style={pageStyle(theme, rows)}>
        <h1 style={{ position: 'absolute', left: gap, top: 12, fontSize: 20 }}>{input.title}</h1>
        {input.panels.map((panel, index) => (
          <Panel key={panel.id} panel={panel} frames={frames[index] ?? []} />
        ))}
      </main>
    </ThemeContext.Provider>
  );
}

function pageStyle({ colors }: GrafanaTheme2, rows: number) {
  const height = rows * (rowHeight + gap) + 58;
  return {
    position: 'relative',
    width: input.width,
    height,
    background: colors.background?.canvas,
    color: colors.text?.primary,
  } as const;
}

const root = document.createElement('div');
document.body.style.margin = '0';
document.body.append(root);
createRoot(root).render(<Dashboard frames={await Promise.all(input.panels.map(framesOf))} />);
requestAnimationFrame(() => requestAnimationFrame(() => (document.title = 'drawn')));
