import * as React from 'react';
import uPlot from 'uplot';

export interface ISeries {
  label: string;
  /** One for each time; null is a gap. */
  values: ReadonlyArray<number | null>;
  /** A `--jp-*` or `--gf-*` variable with a color. */
  color: string;
  fill?: boolean;
  /** Bars stand for counts, a line for what goes on between two moments. */
  kind?: 'line' | 'bars';
  /** How high it is drawn, where that is not its value: on top of another one. */
  drawn?: ReadonlyArray<number | null>;
}

/** In so short a time the hour says which moment is meant. */
const SHORT_SECONDS = 2 * 86_400;
/** Steps of an axis that counts: there is no half a request. */
const WHOLE_STEPS = Array.from({ length: 30 }, (_, at) => [1, 2, 5][at % 3] * 10 ** Math.floor(at / 3));

/** Lines over time. Colors come from the theme, also when it changes; the size is that of its place. */
export function Chart(props: {
  /** Says what is shown, to those who do not see it. */
  label: string;
  /** Seconds since 1970. */
  times: ReadonlyArray<number>;
  series: ReadonlyArray<ISeries>;
  height?: number;
  /** A value as the axis and the legend say it. */
  format?: (value: number) => string;
}): React.ReactElement {
  const { label, times, series, height = 160, format = String } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const theme = useTheme();

  React.useEffect(() => {
    const node = host.current;
    if (!node) {
      return;
    }
    const style = getComputedStyle(node);
    const color = (name: string) => style.getPropertyValue(name).trim() || name;
    const axis = {
      stroke: color('--jp-ui-font-color2'),
      grid: { stroke: color('--jp-border-color2'), width: 1 },
      ticks: { show: false },
      font: `11px ${color('--jp-ui-font-family')}`
    };
    // Half a bar stands out on either side.
    const isCount = series.some(each => each.kind === 'bars');
    const margin = isCount && times.length > 1 ? (times[1] - times[0]) / 2 : 0;
    const isOfDays = times.length > 0 && times[times.length - 1] - times[0] <= SHORT_SECONDS;
    const plot = new uPlot(
      {
        width: Math.max(node.clientWidth, 80),
        height,
        // Room for a label at either end.
        padding: [8, 28, 0, 0],
        legend: { live: true },
        cursor: { y: false, points: { size: 6 } },
        scales: {
          x: { range: (_plot, low, high) => [low - margin, high + margin] },
          y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, 1)] }
        },
        axes: [
          isOfDays ? { ...axis, space: 76, values: (_plot, moments) => moments.map(clock) } : axis,
          {
            ...axis,
            size: 48,
            values: (_plot, values) => values.map(value => format(value)),
            ...(isCount && { incrs: WHOLE_STEPS })
          }
        ],
        series: [
          isOfDays ? { value: (_plot: uPlot, at: number | null) => (at === null ? '–' : clock(at)) } : {},
          ...series.map(each => ({
            label: each.label,
            stroke: color(each.color),
            fill: fillOf(each, color(each.color)),
            width: each.kind === 'bars' ? 0 : 1.5,
            paths: each.kind === 'bars' ? uPlot.paths.bars?.({ size: [0.8, 24, 2] }) : undefined,
            // A line of one moment is none: it is a point.
            points:
              each.kind === 'bars'
                ? { show: false }
                : { show: false, size: 4, filter: () => isolated(each.values) },
            value: (_plot: uPlot, _drawn: number | null, _series: number, at: number | null) => {
              const value = at === null ? null : each.values[at];
              return value == null ? '–' : format(value);
            }
          }))
        ]
      },
      [times as number[], ...series.map(each => (each.drawn ?? each.values) as (number | null)[])],
      node
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(node.clientWidth, 80), height }));
    resize.observe(node);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [times, series, height, format, theme]);

  return <div ref={host} className="gf-Chart" role="img" aria-label={label} />;
}

function fillOf(series: ISeries, color: string): string | undefined {
  if (series.kind === 'bars') {
    return color;
  }
  return series.fill ? `color-mix(in srgb, ${color} 15%, transparent)` : undefined;
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}

/** The places of values with nothing on either side. */
function isolated(values: ReadonlyArray<number | null>): number[] {
  return values.flatMap((value, at) =>
    value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : []
  );
}

/** The name of the theme, which changes when the person picks another. */
function useTheme(): string {
  const [theme, setTheme] = React.useState(() => document.body.dataset.jpThemeName ?? '');
  React.useEffect(() => {
    const observer = new MutationObserver(() => setTheme(document.body.dataset.jpThemeName ?? ''));
    observer.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
    return () => observer.disconnect();
  }, []);
  return theme;
}
