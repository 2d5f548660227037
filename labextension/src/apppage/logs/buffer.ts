import type { LogLevel, LogLine } from '../../api/types';

/** A line with what a view needs: a key, and the text without the codes terminals color by. */
export interface IShownLine {
  readonly key: number;
  readonly time: string;
  readonly version: number;
  readonly text: string;
  readonly level: LogLevel | undefined;
}

/** As many lines as are kept; older ones go. */
export const KEPT_LINES = 5000;

const TERMINAL_CODES = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** The last lines of a log, never more than `kept`; it can stand still while more come. */
export class LogBuffer {
  constructor(private readonly _kept = KEPT_LINES) {}

  /** What is to be shown, oldest first. */
  get lines(): ReadonlyArray<IShownLine> {
    return this._frozen ?? (this._snapshot ??= this._lines.slice(-this._kept));
  }

  /** How many lines came since it stands still. */
  get waiting(): number {
    return this._waiting;
  }

  get isPaused(): boolean {
    return this._frozen !== null;
  }

  /** Where the last line ends in the log; undefined before the first. */
  get position(): string | undefined {
    return this._position;
  }

  add(line: LogLine): void {
    this._position = line.position ?? this._position;
    const { time, version, text, level } = line;
    const shown = {
      key: this._next++,
      time,
      version,
      text: text.replace(TERMINAL_CODES, ''),
      level: level ?? undefined
    };
    this._lines.push(shown);
    if (this._lines.length >= 2 * this._kept) {
      this._lines = this._lines.slice(-this._kept);
    }
    this._snapshot = null;
    this._waiting += this.isPaused ? 1 : 0;
  }

  pause(): void {
    this._frozen ??= this.lines;
    this._waiting = 0;
  }

  resume(): void {
    this._frozen = null;
    this._waiting = 0;
  }

  /** Without lines; the next ones are those after the last. */
  clear(): void {
    this._lines = [];
    this._snapshot = null;
    this._frozen = this.isPaused ? [] : null;
    this._waiting = 0;
  }

  /** As at the beginning: another log, or the same one through another filter. */
  reset(): void {
    this._lines = [];
    this._snapshot = null;
    this._frozen = null;
    this._waiting = 0;
    this._position = undefined;
  }

  private _lines: IShownLine[] = [];
  private _snapshot: ReadonlyArray<IShownLine> | null = null;
  private _frozen: ReadonlyArray<IShownLine> | null = null;
  private _waiting = 0;
  private _next = 0;
  private _position: string | undefined = undefined;
}
