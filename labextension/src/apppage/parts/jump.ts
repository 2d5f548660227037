import type { DocumentWidget } from '@jupyterlab/docregistry';
import type { FileEditor } from '@jupyterlab/fileeditor';

import { CommandIDs } from '../../commands';
import { notifyError } from '../../common/notify';
import type { IPage } from '../page';
import type { IPlace } from './places';

/** Go to a line; what keeps one from it is told. */
export async function jump(place: IPlace, page: IPage): Promise<void> {
  const { commands, trans } = page;
  try {
    if (place.kind === 'file') {
      await openFile(place.path, page, place.line);
    } else if (commands.hasCommand(CommandIDs.jumpToCell)) {
      await commands.execute(CommandIDs.jumpToCell, { ...place.cell, text: place.text });
    } else {
      await commands.execute('docmanager:open', { path: place.cell.notebook });
    }
  } catch (error) {
    notifyError(error, trans, () => void jump(place, page));
  }
}

/** Open a file of an app's draft (`hello/main.py`) in an editor, with the cursor in a line. */
async function openFile(path: string, page: IPage, line: number): Promise<void> {
  const opened = (await page.commands.execute('docmanager:open', {
    path: `gofastapi:${path}`
  })) as DocumentWidget<FileEditor> | undefined;
  await opened?.context.ready;
  const editor = opened?.content.editor;
  if (editor) {
    const position = { line: line - 1, column: 0 };
    editor.setCursorPosition(position);
    editor.revealPosition(position);
    editor.focus();
  }
}
