import type { DeploymentView, MetricsView, RouteNumbers, Stage } from '../../api/types';

/** The time line of the metrics as columns, a place for every step; null where nothing was measured. */
export interface ITimeline {
  /** Seconds since 1970. */
  times: number[];
  requests: (number | null)[];
  clientErrors: (number | null)[];
  serverErrors: (number | null)[];
  /** Both together. */
  errors: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
}

export function timeline(metrics: MetricsView): ITimeline {
  const step = metrics.step_seconds;
  const first = Math.floor(seconds(metrics.since) / step) * step;
  const length = Math.max(Math.floor((seconds(metrics.until) - first) / step) + 1, 1);
  const empty = () => new Array<number | null>(length).fill(null);
  const line: ITimeline = {
    times: Array.from({ length }, (_, index) => first + index * step),
    requests: empty(),
    clientErrors: empty(),
    serverErrors: empty(),
    errors: empty(),
    p50: empty(),
    p95: empty()
  };
  for (const point of metrics.points ?? []) {
    const index = Math.round((seconds(point.at) - first) / step);
    if (index >= 0 && index < length) {
      line.requests[index] = point.requests;
      line.clientErrors[index] = point.client_errors;
      line.serverErrors[index] = point.server_errors;
      line.errors[index] = point.client_errors + point.server_errors;
      line.p50[index] = point.p50_ms ?? null;
      line.p95[index] = point.p95_ms ?? null;
    }
  }
  return line;
}

export type RouteKey =
  'route' | 'requests' | 'client_errors' | 'server_errors' | 'p50_ms' | 'p95_ms' | 'p99_ms';

/** The routes in another order; those of which a figure is not known come last. */
export function sortedRoutes(
  routes: ReadonlyArray<RouteNumbers>,
  key: RouteKey,
  descending: boolean
): RouteNumbers[] {
  const sign = descending ? -1 : 1;
  return [...routes].sort((one, other) => {
    if (key === 'route') {
      return sign * `${one.route} ${one.method}`.localeCompare(`${other.route} ${other.method}`);
    }
    const [a, b] = [one[key], other[key]];
    if (a == null || b == null) {
      return Number(a == null) - Number(b == null);
    }
    return sign * (a - b);
  });
}

/** A piece of a deploy's bar. */
export interface ISegment {
  /** `client` is the time from the person's command until the request came; `rest` what no stage accounts for. */
  name: Stage | 'client' | 'rest';
  seconds: number;
}

/** How long a deployment took, piece by piece, in order. */
export function segments(deployment: DeploymentView): ISegment[] {
  const stages = Object.entries(deployment.stages ?? {}) as [Stage, number][];
  const parts: ISegment[] = stages.map(([name, taken]) => ({ name, seconds: taken }));
  const known = parts.reduce((sum, part) => sum + part.seconds, 0);
  const rest = (deployment.seconds ?? known) - known;
  if (deployment.failed_stage) {
    parts.push({ name: deployment.failed_stage, seconds: Math.max(rest, 0) });
  } else if (rest > 0.0005) {
    parts.push({ name: 'rest', seconds: rest });
  }
  return deployment.client_seconds > 0
    ? [{ name: 'client', seconds: deployment.client_seconds }, ...parts]
    : parts;
}

export function total(deployment: DeploymentView): number {
  return segments(deployment).reduce((sum, part) => sum + part.seconds, 0);
}

function seconds(moment: string): number {
  return new Date(moment).getTime() / 1000;
}
