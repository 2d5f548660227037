import { ISignal, Signal } from '@lumino/signaling';
import { IDisposable } from '@lumino/disposable';

import type { Client } from '../api/client';
import type { Event } from '../api/types';
import type { AppsModel, IAppEntry } from '../apps/model';
import { whileVisible } from '../common/visibility';
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
  onEvent(event: Event): void;
  /** The app's figures changed while the tab was in view. */
  onNumbers(): void;
}

/** One app's page: which tab is open, and its model kept up to date while somebody looks at it. */
export class AppPageModel implements IDisposable {
  constructor(
    readonly app: string,
    readonly apps: AppsModel
  ) {
    const { client } = this;
    this.overview = new OverviewModel(app, client);
    this.logs = new LogsModel(app, client);
    this.errors = new ErrorsModel(app, client);
    this.history = new HistoryModel(app, client);
    this.environment = new EnvironmentModel(app, client);
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

  set tab(tab: Tab) {
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
    return !this.environment.changes.isEmpty && (this.entry !== undefined || !this.apps.isReady);
  }

  /** Emitted when another tab is open. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** Whether the page is in view; nothing is asked for while it is not. */
  set isShown(shown: boolean) {
    if (shown && this._shown === null && !this._disposed) {
      const watch = this.apps.watch();
      const visible = whileVisible(signal => this._look(signal));
      this._shown = {
        isDisposed: false,
        dispose: () => {
          visible.dispose();
          watch.dispose();
        }
      };
    } else if (!shown) {
      this._shown?.dispose();
      this._shown = null;
    }
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      this.isShown = false;
      Signal.clearData(this);
    }
  }

  private _look(signal: AbortSignal): void {
    this._looking = true;
    this._seen = figures(this.entry);
    this.apps.eventReceived.connect(this._onEvent, this);
    this.apps.changed.connect(this._onApps, this);
    this[this._tab].show();
    signal.addEventListener('abort', () => {
      this._looking = false;
      this.apps.eventReceived.disconnect(this._onEvent, this);
      this.apps.changed.disconnect(this._onApps, this);
      this[this._tab].hide();
    });
  }

  private _onEvent(_apps: AppsModel, event: Event): void {
    if (event.app === this.app) {
      this[this._tab].onEvent(event);
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
  private _looking = false;
  private _seen = '';
  private _shown: IDisposable | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

function figures(entry: IAppEntry | undefined): string {
  const numbers = entry?.numbers;
  return numbers ? [numbers.requests, numbers.client_errors, numbers.server_errors].join() : '';
}
