import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileEditor } from '@jupyterlab/fileeditor';

import type { StageEvent } from '../api/types';
import { CommandIDs } from '../commands';
import type { TranslationBundle } from '../common/translation';
import { Deployer } from './deploy';
import { deployIcon } from './icons';
import type { IParts } from './makeDrive';
import { appOf, DRIVE } from './paths';

/** The command that deploys an app's draft; without an argument, of the app whose file is in front. */
export function addCommands(
  app: JupyterFrontEnd,
  parts: IParts,
  manager: IDocumentManager,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const { commands, shell } = app;
  const go = {
    open: (id: string) => void commands.execute(CommandIDs.openApp, { app: id }),
    show: (id: string, end: StageEvent) => void showProblem(manager, id, end)
  };
  const deployer = new Deployer(parts.documents, parts.deployments, trans, go);
  const current = () => {
    const context = shell.currentWidget && manager.contextForWidget(shell.currentWidget);
    return context ? appOf(context.path) : null;
  };
  const idOf = (args: { app?: unknown }) => (typeof args.app === 'string' ? args.app : current());
  commands.addCommand(CommandIDs.deployDraft, {
    label: args => {
      const id = idOf(args);
      return id ? trans.__('Deploy %1', id) : trans.__('Deploy the App of This File');
    },
    caption: trans.__('Save, and bring the app live with its latest code'),
    icon: deployIcon,
    isEnabled: args => idOf(args) !== null,
    describedBy: { args: { type: 'object', properties: { app: { type: 'string' } } } },
    execute: async args => {
      const id = idOf(args);
      if (id) {
        await deployer.deploy(id);
      }
    }
  });
  shell.currentChanged?.connect(() => commands.notifyCommandChanged(CommandIDs.deployDraft));
  palette?.addItem({ command: CommandIDs.deployDraft, category: 'GoFastAPI' });
  palette?.addItem({ command: CommandIDs.openFiles, category: 'GoFastAPI', args: { palette: true } });
}

/** Open the file that a failed deploy complains of, at the line. */
async function showProblem(manager: IDocumentManager, app: string, end: StageEvent): Promise<void> {
  const problem = end.diagnostics?.find(each => each.file);
  const widget = problem?.file ? manager.openOrReveal(`${DRIVE}:${app}/${problem.file}`) : undefined;
  if (!widget || !problem?.line) {
    return;
  }
  await widget.context.ready;
  await widget.revealed;
  if (widget.content instanceof FileEditor) {
    const { editor } = widget.content;
    const line = Math.min(problem.line, editor.lineCount) - 1;
    editor.setCursorPosition({ line, column: problem.column ?? 0 });
    editor.revealPosition({ line, column: 0 });
    editor.focus();
  }
}
