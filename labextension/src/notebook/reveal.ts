import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

/** Show a line (1-based) of a cell, with the cursor in it; the cell alone where there is no such line. */
export async function reveal(panel: NotebookPanel, cell: Cell, line: number | null): Promise<void> {
  const notebook = panel.content;
  const index = notebook.widgets.indexOf(cell);
  if (index < 0) {
    return;
  }
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  cell.inputHidden = false;
  await notebook.scrollToCell(cell, 'center');
  await cell.ready;
  const { editor } = cell;
  if (editor && line !== null && line <= editor.lineCount) {
    const text = editor.getLine(line - 1) ?? '';
    const position = { line: line - 1, column: text.length - text.trimStart().length };
    notebook.mode = 'edit';
    editor.setCursorPosition(position);
    editor.focus();
    editor.revealPosition(position);
  } else {
    notebook.mode = 'command';
    notebook.activate();
  }
}
