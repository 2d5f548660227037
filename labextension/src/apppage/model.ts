import type { Client } from '../api/client';
import type { Event } from '../api/types';
import type { AppsModel, IAppEntry } from '../apps/model';
import { PageModel } from '../common/pageModel';
import { EnvironmentModel } from './environment/model';
import { ErrorsModel } from './errors/model';
import { HistoryModel } from './history/model';
import { LogsModel } from './logs/model';
import { OverviewModel } from './overview/model';
import { SettingsModel } from './settings/model';

export const TABS = ['overview', 'logs', 'errors', 'history', 'environment', 'settings'] as const;
export type Tab = (typeof TABS)[number];

export function isTab(name: unknown): name is Tab {
  return TABS.includes(name as Tab);
}

/** What the model of a tab does while it is looked at. */
export interface ITabModel {
  /** The tab came into view. */
  show(): void;
  /** It left it: nothing is to be asked for any more. */
  hide(): void;
  /** Something happened to the app while the tab was in view. */
  onEvent(): void;
  /** The app's figures changed while the tab was in view. */
  onNumbers(): void;
}

/** One app's page: which tab is open, and its model kept up to date while somebody looks at it. */
export class AppPageModel extends PageModel {
  constructor(
    readonly app: string,
    readonly apps: AppsModel
  ) {
    super(() => apps.watch());
    const { client } = this;
    const { deploys } = apps;
    this.overview = new OverviewModel(app, client);
    this.logs = new LogsModel(app, client);
    this.errors = new ErrorsModel(app, client);
    this.history = new HistoryModel(app, client, deploys);
    this.environment = new EnvironmentModel(app, client, deploys);
    this.settings = new SettingsModel(app, client);
  }

  readonly overview: OverviewModel;
  readonly logs: LogsModel;
  readonly errors: ErrorsModel;
  readonly history: HistoryModel;
  readonly environment: EnvironmentModel;
  readonly settings: SettingsModel;

  get client(): Client {
    return this.apps.client;
  }

  get tab(): Tab {
    return this._tab;
  }

  openTab(tab: Tab): void {
    if (tab !== this._tab) {
      if (this._looking) {
        this[this._tab].hide();
      }
      this._tab = tab;
      if (this._looking) {
        this[tab].show();
      }
      this._changed.emit();
    }
  }

  /** The app with its figures; undefined where it is not known, or not there any more. */
  get entry(): IAppEntry | undefined {
    return this.apps.get(this.app);
  }

  /** Whether something was entered that is not saved, and can be. */
  get hasChanges(): boolean {
    const isEdited = !this.environment.changes.isEmpty || Object.keys(this.settings.edits).length > 0;
    return isEdited && (this.entry !== undefined || !this.apps.isReady);
  }

  protected look(signal: AbortSignal): void {
    this._seen = figures(this.entry);
    this.apps.eventReceived.connect(this._onEvent, this);
    this.apps.changed.connect(this._onApps, this);
    this[this._tab].show();
    signal.addEventListener('abort', () => {
      this.apps.eventReceived.disconnect(this._onEvent, this);
      this.apps.changed.disconnect(this._onApps, this);
      this[this._tab].hide();
    });
  }

  private _onEvent(_apps: AppsModel, event: Event): void {
    if (event.app === this.app) {
      this[this._tab].onEvent();
    }
  }

  private _onApps(): void {
    const seen = figures(this.entry);
    if (seen !== this._seen) {
      this._seen = seen;
      this[this._tab].onNumbers();
    }
  }

  private _tab: Tab = 'overview';
  private _seen = '';
}

function figures(entry: IAppEntry | undefined): string {
  const numbers = entry?.numbers;
  return numbers ? [numbers.requests, numbers.client_errors, numbers.server_errors].join() : '';
}
