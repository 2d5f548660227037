import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { data } from '../api/client';
import type { CellCode, ErrorView, Event } from '../api/types';
import type { AppsModel, IAppEntry } from '../apps/model';

/** While there are errors, some may be cleared elsewhere, of which no event tells. */
const LOOK_AGAIN_MS = 14_000;
const ASK_AGAIN_MS = 5_000;
const FAILED = 'failed';

interface ILook<T> {
  /** What it was asked for; another means: ask again. */
  readonly key: string;
  readonly at: number;
  readonly value: T | undefined;
}

/**
 * What apps have live, and what goes wrong in them, shared by all notebooks.
 *
 * Asked for when somebody wants to know, again when it may have changed; `changed` is emitted when an answer comes.
 */
export class Known implements IDisposable {
  constructor(private readonly _apps: AppsModel) {
    _apps.eventReceived.connect(this._onEvent, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** The code of the live version by its cells; undefined until it is known. */
  codes(entry: IAppEntry): ReadonlyArray<CellCode> | undefined {
    const { id, version, code_hash } = entry.view;
    if (version === null) {
      return undefined;
    }
    return this._look(this._codes, id, `${version}:${code_hash}`, () =>
      data(
        this._apps.client.api.GET('/api/apps/{app_id}/versions/{number}/cells', {
          params: { path: { app_id: id, number: version } }
        })
      )
    ).value;
  }

  /** The errors of an app, the latest first, as far as they are known. */
  errors(entry: IAppEntry): ReadonlyArray<ErrorView> {
    const { id, version, state } = entry.view;
    if (version === null) {
      return [];
    }
    const last = this._errors.get(id);
    const again = last?.value?.length ? Math.floor(Date.now() / LOOK_AGAIN_MS) : 0;
    const counted = entry.numbers?.server_errors ?? 0;
    const look = this._look(
      this._errors,
      id,
      [version, state, counted, again, this._news.get(id) ?? 0].join(':'),
      () =>
        data(this._apps.client.api.GET('/api/apps/{app_id}/errors', { params: { path: { app_id: id } } })),
      last?.value
    );
    return look.value ?? [];
  }

  dispose(): void {
    this._disposed = true;
    Signal.clearData(this);
  }

  private _onEvent(_apps: AppsModel, { kind, app, id }: Event): void {
    if (kind === 'new_error' && app) {
      this._news.set(app, id);
      this._changed.emit();
    }
  }

  private _look<T>(
    looks: Map<string, ILook<T>>,
    id: string,
    key: string,
    ask: () => Promise<T>,
    meanwhile?: T
  ): ILook<T> {
    const last = looks.get(id);
    if (last && (last.key === key || (last.key === FAILED && Date.now() - last.at < ASK_AGAIN_MS))) {
      return last;
    }
    const asked: ILook<T> = { key, at: Date.now(), value: meanwhile };
    looks.set(id, asked);
    ask().then(
      value => {
        if (looks.get(id) === asked && !this._disposed) {
          looks.set(id, { ...asked, value });
          this._changed.emit();
        }
      },
      () => {
        // Asked again when the model of apps has something new; the status line says that nobody answers.
        if (looks.get(id) === asked) {
          looks.set(id, { ...asked, key: FAILED, at: Date.now() });
        }
      }
    );
    return asked;
  }

  private _disposed = false;
  /** The latest event that told of a new error, by app. */
  private readonly _news = new Map<string, number>();
  private readonly _codes = new Map<string, ILook<ReadonlyArray<CellCode>>>();
  private readonly _errors = new Map<string, ILook<ReadonlyArray<ErrorView>>>();
  private readonly _changed = new Signal<this, void>(this);
}
