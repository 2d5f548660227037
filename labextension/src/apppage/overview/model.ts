import { Client, data } from '../../api/client';
import type { DeploymentView, MetricsView } from '../../api/types';
import { Resource } from '../../common/resource';
import { RefreshedTab } from '../parts/tabModel';

const DEPLOYMENTS_SHOWN = 8;
/** A day in 48 steps: as many bars as are told apart. */
const STEP_SECONDS = 1800;

/** How an app does: its figures of the last day, and its last deploys. */
export class OverviewModel extends RefreshedTab {
  constructor(
    readonly app: string,
    readonly client: Client
  ) {
    super();
    const path = { app_id: app };
    const query = { step_seconds: STEP_SECONDS };
    this.metrics = new Resource(() =>
      data(client.api.GET('/api/apps/{app_id}/metrics', { params: { path, query } }))
    );
    this.deployments = new Resource(() =>
      data(
        client.api.GET('/api/apps/{app_id}/deployments', {
          params: { path, query: { limit: DEPLOYMENTS_SHOWN } }
        })
      )
    );
  }

  readonly metrics: Resource<MetricsView>;
  readonly deployments: Resource<DeploymentView[]>;

  override refresh(): void {
    void this.metrics.refresh();
    void this.deployments.refresh();
  }

  override onNumbers(): void {
    void this.metrics.refresh();
  }
}
