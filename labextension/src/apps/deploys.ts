import { ISignal, Signal } from '@lumino/signaling';

import { Client, IRequest } from '../api/client';
import { isAbort } from '../api/errors';
import type { StageEvent } from '../api/types';

/** A deploy, start, restart, restore, rollback or change of the environment that is under way. */
export interface IDeploy {
  readonly app: string;
  /** What is over of it. */
  readonly stages: ReadonlyArray<StageEvent>;
  /** The stage that is under way. */
  readonly now: 'validate' | 'release' | 'start' | 'ready';
}

const AFTER: Record<string, IDeploy['now']> = {
  validate: 'release',
  release: 'start',
  start: 'ready',
  ready: 'ready'
};

/** What is being brought live from this page, for every view to show. */
export class Deploys {
  constructor(private readonly _client: Client) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Those under way, by app. */
  get running(): ReadonlyMap<string, IDeploy> {
    return this._running;
  }

  /** Send something that answers with stages, and return the last of them: `live`, `saved` or `failed`. */
  async run(
    app: string,
    path: string,
    init: IRequest = {},
    onStage?: (stage: StageEvent) => void
  ): Promise<StageEvent> {
    let last: StageEvent | undefined;
    for await (last of this.stages(app, path, init)) {
      onStage?.(last);
    }
    return last!; // without an end it has thrown
  }

  /**
   * The same, stage by stage.
   *
   * Throws `ApiError` where it was refused, and an error where the answer broke off.
   */
  async *stages(app: string, path: string, init: IRequest = {}): AsyncGenerator<StageEvent, void, undefined> {
    let deploy: IDeploy = { app, stages: [], now: path.endsWith('/deploy') ? 'validate' : 'start' };
    this._set(deploy);
    try {
      for await (const stage of this._client.stages(path, init)) {
        deploy = { app, stages: [...deploy.stages, stage], now: AFTER[stage.stage] ?? deploy.now };
        this._set(deploy);
        yield stage;
      }
      if (!ENDS.has(deploy.stages.at(-1)?.stage ?? '')) {
        throw new Error('The service went away before it was done. What was live before is live.');
      }
    } catch (error) {
      if (isAbort(error) || !(error instanceof TypeError)) {
        throw error;
      }
      // The browser's own words for a connection that broke off say nothing to anybody.
      throw new Error('The connection to the Jupyter server broke off before it was done.', { cause: error });
    } finally {
      if (this._running.get(app) === deploy) {
        this._running.delete(app);
        this._changed.emit();
      }
    }
  }

  private _set(deploy: IDeploy): void {
    this._running.set(deploy.app, deploy);
    this._changed.emit();
  }

  private readonly _running = new Map<string, IDeploy>();
  private readonly _changed = new Signal<this, void>(this);
}

const ENDS = new Set(['live', 'saved', 'failed']);
