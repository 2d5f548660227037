import type { Cell, CodeCell, ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { asReport, REPORT_TYPE, type IDeployed, type IReport } from './findings';
import type { INotebookCell, INotebookCells } from './model';

/** Where a cell's metadata tell as what it went live last. */
export const DEPLOYED_KEY = 'gofastapi';

/** The code cells of a notebook that is open. */
export class PanelCells implements INotebookCells, IDisposable {
  constructor(private readonly _panel: NotebookPanel) {
    _panel.content.modelContentChanged.connect(this._onChanged, this);
    _panel.content.modelChanged.connect(this._onChanged, this);
    this._onChanged();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  get cells(): ReadonlyArray<INotebookCell> {
    const cells = this._panel.content.model?.cells ?? [];
    return [...cells].filter(isCode).map(model => ({
      id: model.id,
      source: model.sharedModel.getSource(),
      isRunning: model.executionState === 'running',
      reports: reportsOf(model),
      deployed: deployedOf(model)
    }));
  }

  /** The widgets of the code cells. */
  get widgets(): CodeCell[] {
    return this._panel.content.widgets.filter((cell): cell is CodeCell => isCode(cell.model));
  }

  dispose(): void {
    this._disposed = true;
    Signal.clearData(this);
  }

  private _onChanged(): void {
    for (const model of this._panel.content.model?.cells ?? []) {
      if (isCode(model) && !this._seen.has(model)) {
        this._seen.add(model);
        model.stateChanged.connect(this._emit, this);
        model.outputs.changed.connect(this._emit, this);
        model.metadataChanged.connect(this._emit, this);
      }
    }
    this._emit();
  }

  private _emit(): void {
    this._changed.emit();
  }

  private _disposed = false;
  private readonly _seen = new WeakSet<ICodeCellModel>();
  private readonly _changed = new Signal<this, void>(this);
}

function isCode(model: Cell['model']): model is ICodeCellModel {
  return model.type === 'code';
}

/** What its outputs tell of deploys. */
export function reportsOf(model: ICodeCellModel): IReport[] {
  const found: IReport[] = [];
  for (let index = 0; index < model.outputs.length; index += 1) {
    const report = asReport(model.outputs.get(index).data[REPORT_TYPE]);
    if (report) {
      found.push(report);
    }
  }
  return found;
}

function deployedOf(model: ICodeCellModel): IDeployed | null {
  const noted = model.getMetadata(DEPLOYED_KEY) as IDeployed | undefined;
  return noted ?? null;
}
