import * as React from 'react';

import type { MetricsView } from '../../api/types';
import { Chart, ISeries } from '../../common/chart';
import { count, milliseconds } from '../../common/format';
import type { TranslationBundle } from '../../common/translation';
import { timeline } from './figures';

/** The day as three pictures: requests, errors, latency. The tiles and the table say the same in figures. */
export function Charts(props: { metrics: MetricsView; trans: TranslationBundle }): React.ReactElement {
  const { metrics, trans } = props;
  const line = React.useMemo(() => timeline(metrics), [metrics]);
  const charts = React.useMemo<{ title: string; series: ISeries[]; format: (value: number) => string }[]>(
    () => [
      {
        title: trans.__('Requests'),
        series: [
          { label: trans.__('Requests'), values: line.requests, color: '--jp-brand-color1', kind: 'bars' }
        ],
        format: count
      },
      {
        title: trans.__('Errors'),
        series: [
          {
            label: trans.__('Client'),
            values: line.clientErrors,
            drawn: line.errors,
            color: '--gf-fair',
            kind: 'bars'
          },
          { label: trans.__('Server'), values: line.serverErrors, color: '--gf-bad', kind: 'bars' }
        ],
        format: count
      },
      {
        title: trans.__('Latency'),
        series: [
          { label: trans.__('Median'), values: line.p50, color: '--jp-brand-color1' },
          { label: trans.__('95 of 100'), values: line.p95, color: '--gf-idle' }
        ],
        format: milliseconds
      }
    ],
    [line, trans]
  );
  return (
    <div className="gf-Charts">
      {charts.map(({ title, series, format }) => (
        <figure key={title} className="gf-Charts-chart">
          <figcaption>{title}</figcaption>
          <Chart
            label={trans.__('%1 over the last 24 hours', title)}
            times={line.times}
            series={series}
            format={format}
            height={150}
          />
        </figure>
      ))}
    </div>
  );
}
