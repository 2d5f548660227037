import * as React from 'react';
import uPlot from 'uplot';

export interface ISeries {
  label: string;
  /** One for each time; null is a gap. */
  values: ReadonlyArray<number | null>;
  /** A `--jp-*` or `--gf-*` variable with a color. */
  color: string;
  fill?: boolean;
}

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
    const plot = new uPlot(
      {
        width: Math.max(node.clientWidth, 80),
        height,
        legend: { live: true },
        cursor: { y: false, points: { size: 6 } },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, 1)] } },
        axes: [axis, { ...axis, size: 56, values: (_plot, values) => values.map(value => format(value)) }],
        series: [
          {},
          ...series.map(each => ({
            label: each.label,
            stroke: color(each.color),
            fill: each.fill ? `color-mix(in srgb, ${color(each.color)} 15%, transparent)` : undefined,
            width: 1.5,
            points: { show: false },
            value: (_plot: uPlot, value: number | null) => (value === null ? '–' : format(value))
          }))
        ]
      },
      [times as number[], ...series.map(each => each.values as (number | null)[])],
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
