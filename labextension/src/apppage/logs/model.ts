import { ISignal, Signal } from '@lumino/signaling';

import type { Client } from '../../api/client';
import { ApiError, isAbort } from '../../api/errors';
import type { LogLevel, LogLine } from '../../api/types';
import { LogBuffer } from './buffer';

const TAIL = 1000;
const MOST = 10_000;
/** Lines that come together are shown together. */
const GATHER_MS = 80;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

type Query = Record<string, string | number | boolean>;

/** An app's output as it comes, while somebody looks at it. */
export class LogsModel {
  constructor(
    readonly app: string,
    readonly client: Client
  ) {}

  readonly buffer = new LogBuffer();

  get text(): string {
    return this._text;
  }

  get level(): LogLevel | undefined {
    return this._level;
  }

  /** Whether the view stands still. What comes meanwhile is kept. */
  get isPaused(): boolean {
    return this.buffer.isPaused;
  }

  /** Whether the first lines were read. */
  get isReady(): boolean {
    return this._ready;
  }

  get error(): unknown {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Show only lines with this text, and of this level or above; the whole log is looked through. */
  filter(text: string, level: LogLevel | undefined): void {
    if (text !== this._text || level !== this._level) {
      this._text = text;
      this._level = level;
      this.buffer.reset();
      this._ready = false;
      this._restart();
      this._changed.emit();
    }
  }

  pause(): void {
    this.buffer.pause();
    this._changed.emit();
  }

  resume(): void {
    this.buffer.resume();
    this._changed.emit();
  }

  /** Take away what is shown; what comes is shown. The log itself stays. */
  clear(): void {
    this.buffer.clear();
    this._changed.emit();
  }

  retry(): void {
    this._restart();
  }

  show(): void {
    this._isShown = true;
    this._restart();
  }

  hide(): void {
    this._isShown = false;
    this._following?.abort();
    this._following = null;
  }

  onEvent(): void {}

  onNumbers(): void {}

  /** The log as text, as far as the filter lets it through; the last 10,000 lines. */
  async download(): Promise<Blob> {
    const parts: string[] = [];
    for await (const line of this.client.stream<LogLine>(this._path({ tail: MOST }))) {
      parts.push(`${line.time} v${line.version} ${line.text}\n`);
    }
    return new Blob(parts, { type: 'text/plain' });
  }

  private _restart(): void {
    this._following?.abort();
    this._following = null;
    if (this._isShown) {
      this._following = new AbortController();
      void this._follow(this._following.signal);
    }
  }

  private async _follow(signal: AbortSignal): Promise<void> {
    this._error = null;
    for (let failures = 0; !signal.aborted;) {
      try {
        const after = this.buffer.position;
        const query: Query = after === undefined ? { tail: TAIL } : { after };
        const lines = this.client.stream<LogLine>(this._path({ ...query, follow: true }), { signal });
        // An empty log sends nothing, and is ready all the same.
        const patience = setTimeout(() => this._tell(signal), 400);
        try {
          for await (const line of lines) {
            failures = 0;
            this.buffer.add(line);
            this._gather(signal);
          }
        } finally {
          clearTimeout(patience);
        }
      } catch (error) {
        if (isAbort(error) || signal.aborted) {
          return;
        }
        const isLasting = error instanceof ApiError && error.status >= 400 && error.status < 500;
        if (isLasting || failures >= PAUSES_MS.length) {
          this._error = error;
          this._changed.emit();
          return;
        }
      }
      await new Promise(resolve => setTimeout(resolve, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]));
      failures += 1;
    }
  }

  private _gather(signal: AbortSignal): void {
    this._gathering ??= setTimeout(() => {
      this._gathering = undefined;
      this._tell(signal);
    }, GATHER_MS);
  }

  private _tell(signal: AbortSignal): void {
    if (!signal.aborted) {
      this._ready = true;
      this._changed.emit();
    }
  }

  private _path(query: Query): string {
    const parameters = new URLSearchParams(
      Object.entries(query).map(([name, value]) => [name, String(value)])
    );
    if (this._text) {
      parameters.set('grep', this._text);
    }
    if (this._level) {
      parameters.set('level', this._level);
    }
    return `/api/apps/${this.app}/logs?${parameters}`;
  }

  private _text = '';
  private _level: LogLevel | undefined = undefined;
  private _ready = false;
  private _error: unknown = null;
  private _isShown = false;
  private _following: AbortController | null = null;
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
}
