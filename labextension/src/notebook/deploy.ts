import { InputDialog, Notification, type ISessionContextDialogs } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';

import { data } from '../api/client';
import type { AppsModel } from '../apps/model';
import { suggestName } from '../apps/naming';
import { notifyError, withProgress } from '../common/notify';
import { Once } from '../common/once';
import type { TranslationBundle } from '../common/translation';
import { askName, type INames } from './askName';
import { MAIN, readCell } from './cell';
import { mainOf, markedIn, plan, planMarked, titleIn, type IPlanCell, type Plan } from './plan';
import { reveal } from './reveal';

/** What the service finds where code makes no app that it could run. */
const NO_APP = new Set(['no_app', 'wsgi_app', 'empty']);

/** Deploys from a notebook, always by running a cell in its kernel: so all that the magics can do is there. */
export class NotebookDeploys {
  constructor(
    private readonly _apps: AppsModel,
    private readonly _contents: Contents.IManager,
    private readonly _trans: TranslationBundle,
    private readonly _translator: ITranslator | null,
    private readonly _dialogs: ISessionContextDialogs | null
  ) {}

  /** Deploy the current cell, or what else the notebook has to deploy. */
  async current(panel: NotebookPanel): Promise<void> {
    await this._do(panel, plan(cellsOf(panel), panel.content.activeCellIndex));
  }

  /** Deploy what one cell is, or is a part of. */
  async cell(panel: NotebookPanel, index: number): Promise<void> {
    await this._do(panel, plan(cellsOf(panel), index));
  }

  /** Deploy the marked cells; where there are none, the cell with the app, under the name `app`. */
  async marked(panel: NotebookPanel, app?: string): Promise<void> {
    const cells = cellsOf(panel);
    const marked = planMarked(cells);
    if (marked.do !== 'nothing') {
      await this._do(panel, marked);
    } else if (app) {
      await this._do(panel, plan(cells, panel.content.activeCellIndex), app);
    } else {
      Notification.info(
        this._trans.__('No cell of this notebook is marked: put "#| deploy: NAME" on top of one.'),
        {
          autoClose: 8000
        }
      );
    }
  }

  /** Run a cell that deploys. */
  private async _run(panel: NotebookPanel, index: number, save = false): Promise<void> {
    if (save && !(await this._saved(panel))) {
      return;
    }
    const cell = panel.content.widgets[index];
    const dialogs = this._dialogs ?? undefined;
    const { sessionContext } = panel;
    // In a notebook that was just opened the kernel only comes, and what runs before it is lost.
    await sessionContext.ready;
    await NotebookActions.runCells(
      panel.content,
      [cell],
      sessionContext,
      dialogs,
      this._translator ?? undefined
    );
  }

  private async _do(panel: NotebookPanel, what: Plan, name?: string): Promise<void> {
    switch (what.do) {
      case 'run':
        await this._show(panel, what.index);
        return this._run(panel, what.index, what.save);
      case 'name':
        return this._name(panel, what.index, name);
      case 'marked':
        return this._marked(panel, what.apps, what.after);
      case 'choose':
        return this._choose(panel, what.indices, name);
      case 'nothing':
        Notification.info(
          this._trans.__('There is nothing to deploy yet: write a FastAPI app into a cell, and deploy that.'),
          { autoClose: 8000 }
        );
    }
  }

  /** Put the line that deploys it on top of a cell, and run it. */
  private async _name(panel: NotebookPanel, index: number, given?: string): Promise<void> {
    const model = panel.content.widgets[index].model;
    if (panel.content.widgets[index].readOnly || panel.model?.readOnly) {
      Notification.warning(
        this._trans.__(
          'This cell is read-only: %%deploy cannot be put on top of it. Copy it into another notebook.'
        ),
        { autoClose: false }
      );
      return;
    }
    const source = model.sharedModel.getSource();
    await this._show(panel, index);
    const name = await this._asking.orNever(panel.id, async () =>
      (await this._makesApp(source)) ? (given ?? this._ask(panel, source)) : null
    );
    if (name === null) {
      return;
    }
    // Inserted, so that whoever else edits the cell, and undo, see one small change.
    model.sharedModel.updateSource(0, 0, `%%deploy ${name}\n`);
    await this._run(panel, index);
  }

  private _ask(panel: NotebookPanel, source: string): Promise<string | null> {
    const title = PathExt.basename(panel.context.path, PathExt.extname(panel.context.path));
    const untitled = /^untitled\d*$/i.test(title) ? '' : title;
    const wanted = suggestName(titleIn(source)) || suggestName(untitled) || 'my-app';
    return askName({ trans: this._trans, wanted, names: this._names(panel) });
  }

  private async _names(panel: NotebookPanel): Promise<INames> {
    const { api } = this._apps.client;
    const [apps, deleted] = await Promise.all([
      data(api.GET('/api/apps')),
      data(api.GET('/api/apps', { params: { query: { deleted: true } } }))
    ]);
    const here = cellsOf(panel).map(cell => readCell(cell.source)?.app ?? '');
    const taken = new Set(apps.map(app => app.id));
    return { taken, used: new Set([...taken, ...deleted.map(app => app.id), ...here]) };
  }

  /** Run `%deploy` for one of these apps, in a new cell below the last that is marked. */
  private async _marked(panel: NotebookPanel, apps: string[], after: number): Promise<void> {
    let [app] = apps;
    if (apps.length > 1) {
      const chosen = await this._which(panel, this._trans.__('Deploy which app?'), apps, {
        label: this._trans.__('Cells are marked for each of these')
      });
      if (chosen === null) {
        return;
      }
      app = chosen;
    }
    const again = planMarked(cellsOf(panel), app);
    if (again.do === 'run') {
      return this._do(panel, again);
    }
    const { model } = panel.content;
    if (!model || model.readOnly) {
      Notification.warning(this._trans.__('This notebook is read-only: run %deploy %1 in another one.', app));
      return;
    }
    const main = mainOf(cellsOf(panel), app);
    if ((main !== null && !(await this._makesApp(main))) || !(await this._saved(panel))) {
      return;
    }
    model.sharedModel.insertCell(after + 1, { cell_type: 'code', source: `%deploy ${app}`, metadata: {} });
    await this._show(panel, after + 1);
    await this._run(panel, after + 1);
  }

  private async _choose(panel: NotebookPanel, indices: number[], name?: string): Promise<void> {
    const cells = cellsOf(panel);
    const labels = indices.map(index => labelOf(cells[index], index));
    const chosen = await this._which(panel, this._trans.__('Deploy which cell?'), labels);
    if (chosen !== null) {
      const index = indices[labels.indexOf(chosen)];
      await this._do(panel, plan(cells, index), name);
    }
  }

  /** Let the person choose what to deploy; null for nothing. */
  private _which(
    panel: NotebookPanel,
    title: string,
    items: string[],
    more: { label?: string } = {}
  ): Promise<string | null> {
    return this._asking.orNever(panel.id, async () => {
      const chosen = await InputDialog.getItem({
        title,
        items,
        okLabel: this._trans.__('Deploy'),
        ...more
      });
      return chosen.button.accept ? chosen.value : null;
    });
  }

  /** Whether there is an app in this code, so that none is made in vain; where there is none, the person is told. */
  private async _makesApp(text: string): Promise<boolean> {
    const bundle = { main: MAIN, files: { [MAIN]: { text, blob_bytes: 0 } } };
    const found = await withProgress({ during: this._trans.__('Checking the code …') }, this._trans, () =>
      // Where nobody answers, the deploy itself says so, or starts the service.
      data(this._apps.client.api.POST('/api/validate', { body: { bundle } })).catch(() => null)
    );
    const lack = found?.diagnostics.find(each => NO_APP.has(each.code));
    if (lack) {
      Notification.warning(this._trans.__('Nothing is deployed yet: %1.', lack.message), {
        autoClose: 12_000
      });
    }
    return lack === undefined;
  }

  /** Whether what stands in the file is what stands here: `%deploy` reads it from there. */
  private async _saved(panel: NotebookPanel): Promise<boolean> {
    if (!panel.context.model.dirty) {
      return true;
    }
    try {
      if (panel.context.contentsModel?.writable === false) {
        return await this._isOnDisk(panel);
      }
      await panel.context.save();
      return !panel.context.model.dirty;
    } catch (error) {
      notifyError(error, this._trans);
      return false;
    }
  }

  /** Whether the marked cells of a notebook that cannot be written are as they stand in its file; else the person is told. */
  private async _isOnDisk(panel: NotebookPanel): Promise<boolean> {
    const { path } = panel.context;
    const file = await this._contents.get(path);
    const { cells } = file.content as INotebookContent;
    const there = cells.map(cell => ({
      isCode: cell.cell_type === 'code',
      source: [cell.source].flat().join('')
    }));
    const isSame = JSON.stringify(markedIn(there)) === JSON.stringify(markedIn(cellsOf(panel)));
    if (!isSame) {
      Notification.warning(
        this._trans.__(
          '%1 is read-only, and %deploy takes what is saved: save the notebook under another name first.',
          PathExt.basename(path)
        ),
        { autoClose: false }
      );
    }
    return isSame;
  }

  /** By notebook: after a second click nobody is asked once more. */
  private readonly _asking = new Once();

  private async _show(panel: NotebookPanel, index: number): Promise<void> {
    if (panel.content.activeCellIndex !== index) {
      await reveal(panel, panel.content.widgets[index], null);
    }
  }
}

function cellsOf(panel: NotebookPanel): IPlanCell[] {
  return panel.content.widgets.map(cell => ({
    isCode: cell.model.type === 'code',
    source: cell.model.sharedModel.getSource()
  }));
}

function labelOf(cell: IPlanCell, index: number): string {
  const code = readCell(cell.source);
  const first = cell.source.split('\n').find(line => line.trim() !== '') ?? '';
  return `${index + 1}: ${code ? code.app : first.slice(0, 60)}`;
}
