import { ReactWidget } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import type { PanelLayout } from '@lumino/widgets';
import * as React from 'react';

import type { TranslationBundle } from '../common/translation';
import { readCell } from './cell';
import type { PanelCells } from './cells';
import type { IFinding } from './findings';
import { fixOf } from './fix';
import type { ICellState, NotebookModel } from './model';
import { reveal } from './reveal';
import { Status, type IStatusActions } from './status';

/** What the views of a notebook ask others to do. */
export interface IViewTools {
  readonly trans: TranslationBundle;
  /** Called for each code cell, once, when its editor is there. */
  onEditor(editor: CodeMirrorEditor): void;
  actions(panel: NotebookPanel, cell: CodeCell, state: ICellState): Omit<IStatusActions, 'jump'>;
  /** Show the details of an error; null where nobody can. */
  showError: ((finding: IFinding) => void) | null;
}

/** Shows the state of a notebook's cells below them, and what is wrong in them at its lines. */
export class NotebookView implements IDisposable {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _cells: PanelCells,
    private readonly _model: NotebookModel,
    private readonly _tools: IViewTools
  ) {
    _model.changed.connect(this._update, this);
    this._update();
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this._model.changed.disconnect(this._update, this);
  }

  private _update(): void {
    for (const cell of this._cells.widgets) {
      let view = this._views.get(cell);
      if (!view) {
        view = new CellView(this._panel, cell, this._tools);
        this._views.set(cell, view);
      }
      view.show(this._model.state(cell.model.id));
    }
  }

  private _disposed = false;
  // A cell that is moved or scrolled away keeps its widget, and with it its view.
  private readonly _views = new WeakMap<CodeCell, CellView>();
}

/** One cell. It may be long before it has a place in the page: windowed notebooks make what is looked at. */
class CellView {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _cell: CodeCell,
    private readonly _tools: IViewTools
  ) {
    void _cell.ready.then(() => {
      if (!_cell.isDisposed && _cell.editor) {
        _tools.onEditor(_cell.editor as CodeMirrorEditor);
        this._isReady = true;
        // Text that is replaced takes its marks along, also where it is the same again a moment later.
        _cell.model.contentChanged.connect(() => {
          this._shown = null;
        });
        this._render();
      }
    });
  }

  show(state: ICellState | null): void {
    this._state = state;
    if (this._isReady && !this._cell.isDisposed) {
      this._render();
    }
  }

  private _render(): void {
    this._renderStatus();
    void this._renderFindings();
  }

  private _renderStatus(): void {
    const state = this._state;
    if (state === null) {
      this._line?.dispose();
      this._line = null;
      return;
    }
    if (this._line === null) {
      const layout = this._cell.layout as PanelLayout;
      const input = this._cell.inputArea?.parent;
      const at = layout.widgets.findIndex(widget => widget === input);
      this._line = new StatusLine(this._panel, this._cell);
      layout.insertWidget(at + 1, this._line);
    }
    const { trans } = this._tools;
    const jump = (finding: IFinding) => void reveal(this._panel, this._cell, finding.line);
    this._line.content = (
      <Status
        state={state}
        trans={trans}
        actions={{ ...this._tools.actions(this._panel, this._cell, state), jump }}
      />
    );
    this._line.node.setAttribute('aria-label', trans.__('Status of %1', state.code.app));
    this._line.update();
  }

  private async _renderFindings(): Promise<void> {
    const findings = this._state?.findings ?? [];
    const key = JSON.stringify(findings);
    if (key === this._shown) {
      return;
    }
    this._shown = key;
    const { showFindings } = await import('./lint');
    // Others may have come while that was loaded.
    if (key === this._shown && !this._cell.isDisposed && this._cell.editor) {
      const { trans, showError } = this._tools;
      const fix = (finding: IFinding, source: string) => {
        const code = readCell(source);
        return code && fixOf(finding, code, source);
      };
      showFindings(this._cell.editor as CodeMirrorEditor, findings, { trans, showError, fix });
    }
  }

  private _isReady = false;
  private _state: ICellState | null = null;
  private _line: StatusLine | null = null;
  private _shown: string | null = '[]';
}

/** The place of the status line in a cell. */
class StatusLine extends ReactWidget {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _cell: CodeCell
  ) {
    super();
    this.addClass('gf-CellStatus');
    this.node.setAttribute('role', 'group');
    // Else Enter on a button would begin to edit the cell.
    this.node.setAttribute('data-lm-suppress-shortcuts', 'true');
    this.node.addEventListener('keydown', event => this._onKeyDown(event));
  }

  content: React.ReactElement = (<></>);

  protected override render(): React.ReactElement {
    return this.content;
  }

  /** Escape goes back to the cell. */
  private _onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.preventDefault();
      void reveal(this._panel, this._cell, null);
    }
  }
}
