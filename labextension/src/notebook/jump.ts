import { Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { notifyError } from '../common/notify';
import type { TranslationBundle } from '../common/translation';
import { reveal } from './reveal';

/** Where to go: a diagnostic's `cell`, and the text of its line. */
export interface IJump {
  /** The notebook's path or file name. */
  notebook?: string | null;
  cell_id?: string | null;
  label?: string | null;
  line?: number | null;
  text?: string | null;
}

/** Show a line of a cell, opening its notebook where it is not. Says so where it cannot be found. */
export async function jumpToCell(
  to: IJump,
  tools: {
    tracker: INotebookTracker;
    docs: IDocumentManager | null;
    /** The folders to look for the notebook in. */
    folders: string[];
    activate: (panel: NotebookPanel) => void;
    trans: TranslationBundle;
  }
): Promise<void> {
  const { trans } = tools;
  const name = PathExt.basename(to.notebook ?? '');
  const all = openPanels(tools.tracker);
  const panels = all.filter(panel => !name || PathExt.basename(panel.context.path) === name);
  // A copy of a notebook has the same cells: the one that is meant comes first, then one that may be it, renamed.
  const meant =
    panels.find(each => each.context.localPath === to.notebook) ??
    (name ? await open([to.notebook!], tools) : undefined);
  const named =
    [meant, ...panels].find(each => each && findCell(each, to) !== null) ??
    meant ??
    panels[0] ??
    (name
      ? await open(
          tools.folders.map(folder => PathExt.join(folder, name)),
          tools
        )
      : undefined);
  // Under whatever name: a notebook that was renamed since has the cell still.
  const panel = named && findCell(named, to) ? named : (all.find(each => hasCell(each, to)) ?? named);
  if (!panel) {
    Notification.warning(
      name
        ? trans.__('%1 is not open, and not in a folder looked at lately. Open it, and try again.', name)
        : trans.__('It is not known which notebook this came from.'),
      { autoClose: 8000 }
    );
    return;
  }
  tools.activate(panel);
  await panel.revealed;
  const cell = findCell(panel, to);
  if (!cell) {
    Notification.warning(trans.__('%1 has no such cell any more: it was deleted or changed.', name), {
      autoClose: 8000
    });
    return;
  }
  await reveal(panel, cell, lineIn(cell, to));
}

/** The cell that is meant: by its id, else by the text of the line, else by its number. */
function findCell(panel: NotebookPanel, to: IJump): Cell | null {
  const cells = panel.content.widgets.filter(cell => cell.model.type === 'code');
  const byId = cells.find(cell => to.cell_id && cell.model.id === to.cell_id);
  const text = to.text?.trim();
  const number = /^In\[(\d+)\]$/.exec(to.label ?? '')?.[1];
  const byNumber = cells.find(cell => number && cell.promptNode?.textContent?.includes(`[${number}]`));
  const hasText = (cell: Cell) =>
    Boolean(text) &&
    cell.model.sharedModel
      .getSource()
      .split('\n')
      .some(line => line.trim() === text);
  const named = byId ?? byNumber;
  return named && (!text || hasText(named)) ? named : (cells.find(hasText) ?? named ?? null);
}

function hasCell(panel: NotebookPanel, { cell_id: id }: IJump): boolean {
  return Boolean(id) && panel.content.widgets.some(cell => cell.model.id === id);
}

/** The line that is meant. What was edited above it has moved it. */
function lineIn(cell: Cell, to: IJump): number | null {
  const lines = cell.model.sharedModel.getSource().split('\n');
  const { line, text } = to;
  if (!text || (line && lines[line - 1]?.trim() === text.trim())) {
    return line ?? null;
  }
  const same = lines.flatMap((each, index) => (each.trim() === text.trim() ? [index + 1] : []));
  const near = same.sort((a, b) => Math.abs(a - (line ?? 1)) - Math.abs(b - (line ?? 1)));
  return near[0] ?? (line ? Math.min(line, lines.length) : null);
}

/** Open the first of these that is there. */
async function open(
  paths: string[],
  tools: { docs: IDocumentManager | null; trans: TranslationBundle }
): Promise<NotebookPanel | undefined> {
  const { docs } = tools;
  if (!docs) {
    return undefined;
  }
  for (const path of new Set(paths)) {
    try {
      await docs.services.contents.get(path, { content: false });
    } catch {
      continue; // not there
    }
    try {
      const panel = docs.openOrReveal(path) as NotebookPanel | undefined;
      await panel?.revealed;
      await panel?.context.ready;
      return panel;
    } catch (error) {
      notifyError(error, tools.trans);
      return undefined;
    }
  }
  return undefined;
}

function openPanels(tracker: INotebookTracker): NotebookPanel[] {
  const found: NotebookPanel[] = [];
  tracker.forEach(panel => found.push(panel));
  return found;
}
