import { ISignal, Signal } from '@lumino/signaling';

import { ApiError, isAbort } from '../api/errors';
import type { AppMove, DataProgress } from '../api/types';

/** A backup, restore, branch, promotion or rotation while it goes on, and how it ended. */
export class DataRun {
  /** The words on it: what is done, and what is said when it is. */
  get title(): string {
    return this._title;
  }

  /** The latest line of the answer; null before the first. */
  get progress(): DataProgress | null {
    return this._progress;
  }

  /** The apps that have moved, or could not. */
  get moves(): ReadonlyArray<AppMove> {
    return this._moves;
  }

  get isRunning(): boolean {
    return this._running;
  }

  /** Why it failed, or was not even begun; null otherwise. */
  get error(): unknown {
    return this._error;
  }

  /** The last line of one that went well. */
  get end(): DataProgress | null {
    return this._progress?.stage === 'done' ? this._progress : null;
  }

  /** The way to try again what failed. */
  get retry(): (() => void) | null {
    return this._retry;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Follow an answer to its end. Returns its last line; null where it failed, or another one goes on. */
  async follow(
    title: string,
    open: () => AsyncIterable<DataProgress>,
    onLine?: (line: DataProgress) => void
  ): Promise<DataProgress | null> {
    if (this._running) {
      return null;
    }
    this._title = title;
    this._progress = null;
    this._moves = [];
    this._error = null;
    this._retry = () => void this.follow(title, open, onLine);
    this._running = true;
    this._changed.emit();
    try {
      for await (const line of open()) {
        this._progress = line;
        if (line.app) {
          this._moves = [...this._moves, line.app];
        }
        if (line.stage === 'failed') {
          this._error = errorOf(line);
        }
        onLine?.(line);
        this._changed.emit();
      }
      return this.end;
    } catch (error) {
      this._error = isAbort(error) ? null : error;
      return null;
    } finally {
      this._running = false;
      this._changed.emit();
    }
  }

  /** Forget what is over. */
  clear(): void {
    if (!this._running) {
      this._progress = null;
      this._moves = [];
      this._error = null;
      this._title = '';
      this._changed.emit();
    }
  }

  private _title = '';
  private _progress: DataProgress | null = null;
  private _moves: ReadonlyArray<AppMove> = [];
  private _running = false;
  private _error: unknown = null;
  private _retry: (() => void) | null = null;
  private readonly _changed = new Signal<this, void>(this);
}

function errorOf({ error }: DataProgress): ApiError {
  return new ApiError(error?.message ?? '', error?.code ?? 'internal', 200, error?.details ?? {});
}
