import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { AppsModel, IAppEntry } from '../apps/model';
import { readCell, type ICellCode } from './cell';
import {
  compare,
  failureOf,
  findingsOf,
  isOtherwise,
  type Compared,
  type IDeployed,
  type IFinding,
  type IKnown,
  type IReport
} from './findings';
import type { Known } from './known';

/** A code cell as the model needs to know it. */
export interface INotebookCell {
  readonly id: string;
  readonly source: string;
  readonly isRunning: boolean;
  /** What its outputs tell of deploys. */
  readonly reports: ReadonlyArray<IReport>;
  /** As what it went live last; null where nobody knows. */
  readonly deployed: IDeployed | null;
}

/** A notebook's code cells, and when anything about them changes. */
export interface INotebookCells {
  readonly cells: ReadonlyArray<INotebookCell>;
  readonly changed: ISignal<unknown, void>;
}

/** What is shown at a cell that belongs to an app. */
export interface ICellState {
  readonly code: ICellCode;
  /** False until the apps are known. */
  readonly isKnown: boolean;
  /** Undefined where there is no such app. */
  readonly entry: IAppEntry | undefined;
  readonly compared: Compared;
  /** Whether the arguments are others than those of the live version. */
  readonly isOtherwise: boolean;
  readonly isRunning: boolean;
  /** Why the last deploy of this very code failed. */
  readonly failure: string | null;
  readonly findings: ReadonlyArray<IFinding>;
  /** Why nothing is known of the app. */
  readonly error: unknown;
}

/** Changes of one moment are looked at together. */
const GATHER_MS = 60;

/** How the cells of one notebook stand to their apps, up to date while any belongs to one. */
export class NotebookModel implements IDisposable {
  constructor(
    private readonly _notebook: INotebookCells,
    private readonly _apps: AppsModel,
    private readonly _known: Known
  ) {
    _notebook.changed.connect(this._gather, this);
    _apps.changed.connect(this._gather, this);
    _known.changed.connect(this._gather, this);
    this._gather();
  }

  /** Emitted when the state of any cell may be another. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** The state of a cell; null where it has nothing to do with an app. */
  state(cellId: string): ICellState | null {
    return this._states.get(cellId) ?? null;
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      clearTimeout(this._gathering);
      this._watching?.dispose();
      Signal.clearData(this);
    }
  }

  private _gather(): void {
    this._gathering ??= setTimeout(() => {
      this._gathering = undefined;
      this._look();
    }, GATHER_MS);
  }

  private _look(): void {
    const { cells } = this._notebook;
    const codes = new Map<string, ICellCode>();
    for (const cell of cells) {
      const code = readCell(cell.source);
      if (code) {
        codes.set(cell.id, code);
      }
    }
    this._watch(codes.size > 0);
    const ids = new Set(cells.map(cell => cell.id));
    const reports = cells.filter(cell => codes.has(cell.id)).flatMap(cell => cell.reports);
    const known = new Map<string, IKnown>();
    for (const app of new Set([...codes.values()].map(code => code.app))) {
      known.set(app, this._knownOf(app, reports));
    }
    this._states = new Map();
    for (const cell of cells) {
      const code = codes.get(cell.id);
      if (code) {
        const of = known.get(code.app)!;
        const differs = isOtherwise(code, cell.deployed, of.view);
        const compared: Compared = this._apps.isReady
          ? compare(code, cell.id, of, id => ids.has(id))
          : { is: 'unknown' };
        this._states.set(cell.id, {
          code,
          isKnown: this._apps.isReady,
          entry: this._apps.get(code.app),
          compared: withArguments(compared, differs),
          isOtherwise: differs,
          isRunning: cell.isRunning,
          failure: failureOf(code, cell.reports.at(-1), of),
          findings: findingsOf(code, of),
          error: this._apps.error
        });
      }
    }
    this._sumUp();
    this._changed.emit();
  }

  /** A cell with `%deploy` stands for the cells that are marked. */
  private _sumUp(): void {
    for (const [id, state] of this._states) {
      if (state.code.kind === 'line') {
        const marked = [...this._states.values()].filter(
          each => each.code.kind === 'marked' && each.code.app === state.code.app
        );
        const first =
          marked.find(each => each.compared.is === 'changed') ??
          marked.find(each => each.compared.is !== 'same');
        if (marked.length > 0) {
          const { compared } = first ?? marked[0];
          this._states.set(id, { ...state, compared: withArguments(compared, state.isOtherwise) });
        }
      }
    }
  }

  private _knownOf(app: string, reports: IReport[]): IKnown {
    const entry = this._apps.get(app);
    return {
      view: entry?.view,
      codes: entry && this._known.codes(entry),
      errors: entry ? this._known.errors(entry) : [],
      reports: reports.filter(report => report.app === app)
    };
  }

  private _watch(needed: boolean): void {
    if (needed && this._watching === null) {
      this._watching = this._apps.watch();
      if (!this._apps.isReady) {
        // Where nobody answers, the stream would only wait; this says so.
        void this._apps.refresh();
      }
    } else if (!needed) {
      this._watching?.dispose();
      this._watching = null;
    }
  }

  private _states = new Map<string, ICellState>();
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private _watching: IDisposable | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** The code may be the same, and what comes with it not. */
function withArguments(compared: Compared, isOtherwise: boolean): Compared {
  return compared.is === 'same' && isOtherwise ? { is: 'changed' } : compared;
}
