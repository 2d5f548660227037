import { Client, data } from '../../api/client';
import type { AppChange, AppView } from '../../api/types';
import { RefreshedTab } from '../parts/tabModel';

/** What an app's owner may set without touching its code. */
export class SettingsModel extends RefreshedTab {
  constructor(
    readonly app: string,
    readonly client: Client
  ) {
    super();
  }

  /** Nothing to read: all of it stands in the list of apps. */
  override refresh(): void {}

  change(change: AppChange): Promise<AppView> {
    return data(
      this.client.api.PATCH('/api/apps/{app_id}', { params: { path: { app_id: this.app } }, body: change })
    );
  }
}
