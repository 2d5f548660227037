import { ISignal, Signal } from '@lumino/signaling';

import { isAbort } from '../../api/errors';
import type { Stage, StageEvent } from '../../api/types';

/** A deploy, restart or rollback while it goes on, and how it ended. */
export class StageRun {
  /** The stages that are over, in order. */
  get events(): ReadonlyArray<StageEvent> {
    return this._events;
  }

  get isRunning(): boolean {
    return this._running;
  }

  /** Why there was no answer, or none any more; null otherwise. */
  get error(): unknown {
    return this._error;
  }

  /** The last event of a run that has ended. */
  get end(): StageEvent | undefined {
    const last = this._events.at(-1);
    return last && ENDS.has(last.stage) ? last : undefined;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Follow a stream of stages to its end, and return its last event; undefined where there was an error. */
  async follow(stages: AsyncIterable<StageEvent>): Promise<StageEvent | undefined> {
    if (this._running) {
      return undefined;
    }
    this._events = [];
    this._error = null;
    this._running = true;
    this._changed.emit();
    try {
      for await (const event of stages) {
        this._events = [...this._events, event];
        this._changed.emit();
      }
      return this.end;
    } catch (error) {
      this._error = isAbort(error) ? null : error;
      return undefined;
    } finally {
      this._running = false;
      this._changed.emit();
    }
  }

  /** Forget what is over. */
  clear(): void {
    if (!this._running) {
      this._events = [];
      this._error = null;
      this._changed.emit();
    }
  }

  private _events: ReadonlyArray<StageEvent> = [];
  private _running = false;
  private _error: unknown = null;
  private readonly _changed = new Signal<this, void>(this);
}

const ENDS = new Set<Stage>(['live', 'failed', 'saved']);
