import { ISignal, Signal } from '@lumino/signaling';

import { Client, data } from '../../api/client';
import type { AppView, Limits } from '../../api/types';
import { Resource } from '../../common/resource';
import { RefreshedTab } from '../parts/tabModel';

/** What is set of an app without touching its code, as the form shows it. */
export interface IOptions {
  title: string;
  /** As the API takes it: `1800s`, `never` or `default`. */
  sleepAfter: string;
  workers: number;
  bodies: boolean;
}

/** What an app's owner may set without touching its code, and what is being changed of it. */
export class SettingsModel extends RefreshedTab {
  constructor(
    readonly app: string,
    readonly client: Client
  ) {
    super();
    this.limits = new Resource<Limits>(() => data(client.api.GET('/api/limits')));
  }

  readonly limits: Resource<Limits>;

  /** Emitted when `edits` changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What the person has changed and not saved yet; the rest is as it is set. */
  get edits(): Readonly<Partial<IOptions>> {
    return this._edits;
  }

  /** Change something; what comes to the same as what is set, `now`, is no change. */
  edit(edits: Partial<IOptions>, now: IOptions): void {
    this._edits = differing({ ...this._edits, ...edits }, now);
    this._changed.emit();
  }

  /** All but the limits, which stay the same, stands in the list of apps. */
  override refresh(): void {
    if (!this.limits.value) {
      void this.limits.refresh();
    }
  }

  /** Send what was changed, and have it read again. What is typed meanwhile stays to be saved. */
  async save(readAgain: () => Promise<void>): Promise<void> {
    const sent = this._edits;
    await data(
      this.client.api.PATCH('/api/apps/{app_id}', {
        params: { path: { app_id: this.app } },
        body: {
          title: sent.title,
          sleep_after: sent.sleepAfter,
          workers: sent.workers,
          record_bodies: sent.bodies
        }
      })
    );
    await readAgain();
    this._edits = differing(this._edits, sent);
    this._changed.emit();
  }

  private _edits: Partial<IOptions> = {};
  private readonly _changed = new Signal<this, void>(this);
}

export function optionsOf(view: AppView): IOptions {
  return {
    title: view.title,
    sleepAfter: durationOf(view.sleep_after_seconds),
    workers: view.workers,
    bodies: view.record_bodies
  };
}

/** A number of seconds as the API takes it. */
export function durationOf(value: number | null | undefined): string {
  return value == null ? 'never' : `${value}s`;
}

/** Those of the options that are other ones. */
export function differing(options: Partial<IOptions>, from: Partial<IOptions>): Partial<IOptions> {
  const entries = Object.entries(options) as [keyof IOptions, unknown][];
  return Object.fromEntries(entries.filter(([name, value]) => value !== from[name]));
}
