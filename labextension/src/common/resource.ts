import { ISignal, Signal } from '@lumino/signaling';

import { isAbort } from '../api/errors';

/** Something read from the service: its value once it is known, and why not where it could not be read. */
export class Resource<T> {
  constructor(private readonly _read: () => Promise<T>) {}

  /** Undefined until it was read once. */
  get value(): T | undefined {
    return this._value;
  }

  /** Why the last reading failed; null where it did not. */
  get error(): unknown {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Read it again. Never throws: `error` tells. Of several at once, the last one counts. */
  readonly refresh = async (): Promise<void> => {
    const turn = ++this._turn;
    try {
      const value = await this._read();
      if (turn === this._turn) {
        this.set(value);
      }
    } catch (error) {
      if (turn === this._turn && !isAbort(error)) {
        this._error = error;
        this._changed.emit();
      }
    }
  };

  /** Put a value in that came another way. */
  set(value: T): void {
    this._turn += 1;
    this._value = value;
    this._error = null;
    this._changed.emit();
  }

  /** Forget it: it is of something else than what is shown now. */
  clear(): void {
    this._turn += 1;
    this._value = undefined;
    this._error = null;
    this._changed.emit();
  }

  private _value: T | undefined = undefined;
  private _error: unknown = null;
  private _turn = 0;
  private readonly _changed = new Signal<this, void>(this);
}
