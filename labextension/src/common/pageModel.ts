import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { whileVisible } from './visibility';

/** What a page shows: kept up to date while somebody looks at it, and nothing is asked for while nobody does. */
export abstract class PageModel implements IDisposable {
  /** `watch` keeps what the page stands on alive, until what it returns is disposed of. */
  constructor(private readonly _watch: () => IDisposable) {}

  /** Emitted when something else is shown. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** Whether the page is in view. */
  set isShown(shown: boolean) {
    if (shown && this._shown === null && !this._disposed) {
      const watch = this._watch();
      const visible = whileVisible(signal => {
        this._looking = true;
        signal.addEventListener('abort', () => {
          this._looking = false;
        });
        this.look(signal);
      });
      this._shown = {
        isDisposed: false,
        dispose: () => {
          visible.dispose();
          watch.dispose();
        }
      };
    } else if (!shown) {
      this._shown?.dispose();
      this._shown = null;
    }
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      this.isShown = false;
      Signal.clearData(this);
    }
  }

  /** Somebody looks at the page, until the signal is aborted. */
  protected abstract look(signal: AbortSignal): void;

  /** Whether somebody looks at it at this moment. */
  protected _looking = false;
  protected readonly _changed = new Signal<this, void>(this);
  private _shown: IDisposable | null = null;
  private _disposed = false;
}
