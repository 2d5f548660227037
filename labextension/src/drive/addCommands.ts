import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileEditor } from '@jupyterlab/fileeditor';
import { editIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import type { StageEvent } from '../api/types';
import { chooseApp } from '../apps/choose';
import { CommandIDs } from '../commands';
import { notifyError } from '../common/notify';
import type { TranslationBundle } from '../common/translation';
import { Deployer } from './deploy';
import type { Drafts } from './draft';
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
  commands.addCommand(CommandIDs.editCode, {
    label: args => (args.app ? trans.__('Edit Code') : trans.__('Edit the Code of an App …')),
    caption: trans.__("Open the app's code in an editor"),
    icon: args => (args.palette ? undefined : editIcon),
    describedBy: { args: { type: 'object', properties: { app: { type: 'string' } } } },
    execute: async args => {
      const isKnown = typeof args.app === 'string' && args.app !== '';
      const id = isKnown
        ? String(args.app)
        : (await chooseApp(parts.apps, trans, trans.__('Edit the Code')))?.id;
      if (id !== undefined) {
        await editCode(id, parts.drafts, manager, commands, trans);
      }
    }
  });
  palette?.addItem({ command: CommandIDs.deployDraft, category: 'GoFastAPI' });
  palette?.addItem({ command: CommandIDs.openFiles, category: 'GoFastAPI', args: { palette: true } });
  palette?.addItem({ command: CommandIDs.editCode, category: 'GoFastAPI', args: { palette: true } });
}

/** Open the file an app begins with; where there is none, the app's files. */
async function editCode(
  id: string,
  drafts: Drafts,
  manager: IDocumentManager,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<void> {
  try {
    const bundle = (await drafts.read(id))?.bundle;
    if (bundle && bundle.main in bundle.files) {
      manager.openOrReveal(`${DRIVE}:${id}/${bundle.main}`);
    } else {
      await commands.execute(CommandIDs.openFiles, { app: id });
    }
  } catch (error) {
    notifyError(error, trans, () => void editCode(id, drafts, manager, commands, trans));
  }
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
