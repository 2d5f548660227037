import * as React from 'react';

import { bytes, count, milliseconds, percent } from '../../common/format';
import type { IPage } from '../page';
import { Empty } from '../../common/empty';
import { Findings } from '../parts/findings';
import { Loaded } from '../../common/loaded';
import type { MetricsView } from '../../api/types';
import { Address } from './address';
import { Charts } from './charts';
import { Routes } from './routes';
import { Timings } from './timings';

/** How the app does: its figures, where it is reached, how its last deploys went. */
export function OverviewView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const { overview, entry } = model;
  const diagnostics = entry?.view.diagnostics ?? [];
  if (entry?.view.version == null) {
    return (
      <>
        <Findings diagnostics={diagnostics} page={page} />
        <Empty title={trans.__('Nothing of %1 is deployed yet', model.app)}>
          <p>
            {entry?.view.draft
              ? trans.__('Its code is saved as a draft. Deploy it, and its figures are here.')
              : trans.__('Put %1 on top of a cell with a FastAPI app and run it.', `%%deploy ${model.app}`)}
          </p>
        </Empty>
        <Loaded resource={overview.deployments} trans={trans} label={trans.__('Asking for the last deploys')}>
          {deployments => <Timings deployments={deployments} trans={trans} />}
        </Loaded>
      </>
    );
  }
  return (
    <div className="gf-Overview">
      <Findings diagnostics={diagnostics} page={page} />
      <Loaded resource={overview.metrics} trans={trans} label={trans.__('Asking for the figures')}>
        {metrics => (
          <>
            <Tiles metrics={metrics} page={page} />
            <Charts metrics={metrics} trans={trans} />
            <Routes routes={metrics.routes ?? []} trans={trans} />
          </>
        )}
      </Loaded>
      <div className="gf-Overview-pair">
        <Loaded resource={overview.deployments} trans={trans} label={trans.__('Asking for the last deploys')}>
          {deployments => <Timings deployments={deployments} trans={trans} />}
        </Loaded>
        <Address page={page} />
      </div>
    </div>
  );
}

function Tiles(props: { metrics: MetricsView; page: IPage }): React.ReactElement {
  const { metrics, page } = props;
  const { trans } = page;
  const latency = (value: number | null | undefined) => (value == null ? '–' : milliseconds(value));
  const tiles: [string, string, string?][] = [
    [
      trans.__('Requests'),
      count(metrics.requests),
      metrics.in_flight ? trans.__('%1 open now', metrics.in_flight) : ''
    ],
    [
      trans.__('Server errors'),
      count(metrics.server_errors),
      metrics.server_errors ? percent(metrics.server_errors, metrics.requests) : ''
    ],
    [
      trans.__('Client errors'),
      count(metrics.client_errors),
      metrics.client_errors ? percent(metrics.client_errors, metrics.requests) : ''
    ],
    [
      trans.__('Latency, median'),
      latency(metrics.p50_ms),
      metrics.p95_ms == null ? '' : trans.__('95 of 100 within %1', latency(metrics.p95_ms))
    ],
    [
      trans.__('Memory'),
      metrics.memory_bytes == null ? '–' : bytes(metrics.memory_bytes),
      metrics.cold_starts ? trans.__('Woke %1 times', metrics.cold_starts) : ''
    ]
  ];
  return (
    <section aria-label={trans.__('Last 24 hours')}>
      <h2 className="gf-Heading">{trans.__('Last 24 hours')}</h2>
      <dl className="gf-Tiles">
        {tiles.map(([name, value, more]) => (
          <div key={name} className="gf-Tiles-tile">
            <dt>{name}</dt>
            <dd className="gf-Tiles-value">{value}</dd>
            <dd className="gf-Tiles-more">{more}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
