import { ISignal, Signal } from '@lumino/signaling';

import type { Client } from '../../api/client';
import { isAbort } from '../../api/errors';
import type { ImportEvent } from '../../api/types';
import { upload } from '../upload';
import { search } from './query';

export type FileFormat = 'jsonl' | 'csv';
export type ImportMode = 'add' | 'replace';

export interface IImport {
  file: File;
  collection: string;
  branch: string | null;
  format: FileFormat;
  mode: ImportMode;
}

/** A file on its way into a collection: how much is sent, what became of it. */
export class Transfer {
  constructor(private readonly _client: Client) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isRunning(): boolean {
    return this._abort !== null;
  }

  get file(): File | null {
    return this._file;
  }

  /** The collection it goes to. */
  get collection(): string {
    return this._collection;
  }

  get mode(): ImportMode {
    return this._mode;
  }

  get sentBytes(): number {
    return this._sent;
  }

  /** How far the service is; its last word once it is over. */
  get event(): ImportEvent | null {
    return this._event;
  }

  /** Why there is no answer; null where there is one, or somebody cancelled. */
  get error(): unknown {
    return this._error;
  }

  get wasCancelled(): boolean {
    return this._cancelled;
  }

  /** Whether there is an end to be told. */
  get isOver(): boolean {
    return !this.isRunning && (this._event !== null || this._error !== null || this._cancelled);
  }

  /** Send a file. Ends when all is stored, or something went wrong, or it was cancelled. Never throws. */
  async start(options: IImport): Promise<void> {
    const { file, collection, branch, format, mode } = options;
    if (this._abort) {
      return;
    }
    const abort = (this._abort = new AbortController());
    this._file = file;
    this._collection = collection;
    this._mode = mode;
    this._sent = 0;
    this._event = null;
    this._error = null;
    this._cancelled = false;
    this._changed.emit();
    try {
      const name = encodeURIComponent(collection);
      const path = `/api/database/collections/${name}/import${search({ format, mode, branch })}`;
      await upload(this._client, path, file, {
        signal: abort.signal,
        onSent: bytes => {
          this._sent = bytes;
          this._changed.emit();
        },
        onLine: line => {
          this._event = JSON.parse(line) as ImportEvent;
          this._changed.emit();
        }
      });
    } catch (error) {
      if (isAbort(error)) {
        this._cancelled = true;
      } else {
        this._error = error;
      }
    } finally {
      this._abort = null;
      this._changed.emit();
    }
  }

  cancel(): void {
    this._abort?.abort();
  }

  /** Forget what is over. */
  clear(): void {
    if (!this.isRunning) {
      this._event = null;
      this._error = null;
      this._cancelled = false;
      this._file = null;
      this._changed.emit();
    }
  }

  private _abort: AbortController | null = null;
  private _file: File | null = null;
  private _collection = '';
  private _mode: ImportMode = 'add';
  private _sent = 0;
  private _event: ImportEvent | null = null;
  private _error: unknown = null;
  private _cancelled = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** What the name of a file says it holds. */
export function formatOf(name: string): FileFormat {
  return name.toLowerCase().endsWith('.csv') ? 'csv' : 'jsonl';
}

/** The collection that the name of a file speaks of. */
export function collectionOf(name: string): string {
  return name.replace(/\.(jsonl|ndjson|json|csv|txt)$/i, '').replace(/[$.\0]+/g, '_');
}
