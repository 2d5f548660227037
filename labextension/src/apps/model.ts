import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Client, data } from '../api/client';
import { isAbort } from '../api/errors';
import type { AppNumbers, AppView, Event } from '../api/types';
import { type Page, whileVisible } from '../common/visibility';
import { Deploys } from './deploys';

/** An app with its figures of the last 24 hours. */
export interface IAppEntry {
  readonly view: AppView;
  /** Undefined until they are known. */
  readonly numbers?: AppNumbers;
}

/** Figures are no events, nor is a draft that somebody saves elsewhere. */
const LOOK_EVERY_MS = 15_000;
/** Several events come together; one look at the list answers them all. */
const GATHER_MS = 60;

/**
 * All apps of the person, one model for every view.
 *
 * It follows the service's events while the page is visible and somebody `watch`es; nothing is asked for in a hidden
 * page. `changed` is emitted after each change.
 */
export class AppsModel implements IDisposable {
  constructor(
    readonly client: Client,
    private readonly _page: Page = document
  ) {
    this.deploys = new Deploys(client);
  }

  /** What is being brought live from this page. */
  readonly deploys: Deploys;

  /** By name. */
  get apps(): ReadonlyArray<IAppEntry> {
    return this._apps;
  }

  /** Whether the list was read at least once. */
  get isReady(): boolean {
    return this._ready;
  }

  /** Why the list could not be read; null where it could. */
  get error(): unknown {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Every event of the service as it comes, for views that show more than the list. */
  get eventReceived(): ISignal<this, Event> {
    return this._eventReceived;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  get(id: string): IAppEntry | undefined {
    return this._apps.find(entry => entry.view.id === id);
  }

  /** The names that are in use. */
  get names(): ReadonlySet<string> {
    return new Set(this._views.map(view => view.id));
  }

  /** Keep the model up to date until what is returned is disposed of. Cheap to call several times. */
  watch(): IDisposable {
    this._watchers += 1;
    if (this._watchers === 1) {
      this._begin();
    }
    let disposed = false;
    return {
      get isDisposed() {
        return disposed;
      },
      dispose: () => {
        if (!disposed) {
          disposed = true;
          this._watchers -= 1;
          if (this._watchers === 0) {
            this._following?.dispose();
            this._following = null;
          }
        }
      }
    };
  }

  /** Read everything again. Never throws: `error` tells. */
  async refresh(): Promise<void> {
    // After an answer that waiting does not better, as that one is signed out, events are followed no more.
    if (this._brokeOff && this._watchers > 0) {
      this._begin();
    }
    await Promise.all([this._readApps(), this._readNumbers()]);
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      this._following?.dispose();
      Signal.clearData(this);
    }
  }

  private _begin(): void {
    this._brokeOff = false;
    this._following?.dispose();
    this._following = whileVisible(signal => void this._follow(signal), this._page);
  }

  private async _follow(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => void this.refresh(), LOOK_EVERY_MS);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    try {
      // Whatever happened before the stream was open is in the list that is read then.
      for await (const event of this.client.events({ signal, onOpen: () => void this.refresh() })) {
        this._eventReceived.emit(event);
        if (event.kind !== 'data_changed') {
          this._gather();
        }
        if (event.kind === 'new_error') {
          void this._readNumbers();
        }
      }
    } catch (error) {
      clearInterval(timer);
      this._brokeOff = !signal.aborted;
      this._fail(error);
    }
  }

  private _gather(): void {
    this._gathering ??= setTimeout(() => {
      this._gathering = undefined;
      void this._readApps();
    }, GATHER_MS);
  }

  private async _readApps(): Promise<void> {
    const turn = ++this._turn;
    try {
      const views = await data(this.client.api.GET('/api/apps'));
      // An older answer that comes late says less than what is shown.
      if (turn === this._turn) {
        this._views = views;
        this._ready = true;
        this._error = null;
        this._combine();
      }
    } catch (error) {
      if (turn === this._turn) {
        this._fail(error);
      }
    }
  }

  private async _readNumbers(): Promise<void> {
    try {
      const numbers = await data(this.client.api.GET('/api/metrics'));
      this._numbers = new Map(numbers.map(each => [each.app, each]));
      this._combine();
    } catch {
      // The list itself says when the service cannot be reached; figures only stay as they were.
    }
  }

  private _combine(): void {
    this._apps = this._views.map(view => ({ view, numbers: this._numbers.get(view.id) }));
    if (!this._disposed) {
      this._changed.emit();
    }
  }

  private _fail(error: unknown): void {
    if (!isAbort(error) && !this._disposed) {
      this._error = error;
      this._changed.emit();
    }
  }

  private _apps: ReadonlyArray<IAppEntry> = [];
  private _views: ReadonlyArray<AppView> = [];
  private _numbers: ReadonlyMap<string, AppNumbers> = new Map();
  private _ready = false;
  private _error: unknown = null;
  private _disposed = false;
  private _turn = 0;
  private _watchers = 0;
  private _brokeOff = false;
  private _following: IDisposable | null = null;
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _eventReceived = new Signal<this, Event>(this);
}
