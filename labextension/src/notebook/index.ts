import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, ISessionContextDialogs } from '@jupyterlab/apputils';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import { ICompletionProviderManager } from '@jupyterlab/completer';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager, IRecentsManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { load } from '../common/translation';
import { IApps, ID } from '../tokens';
import { PanelCells } from './cells';
import { addCommands } from './commands';
import { MagicCompletions } from './completer';
import { noteDeployed } from './deployed';
import { NotebookDeploys } from './deploy';
import type { IFinding } from './findings';
import { magicHelp, showHelp } from './help';
import { jumpToCell, type IJump } from './jump';
import { Known } from './known';
import { NotebookModel } from './model';
import { NotebookView, type IViewTools } from './view';
import { appInWords } from './words';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:notebook`,
  description:
    'Deploys from notebooks: the button, the status of cells, errors at their lines, help on magics.',
  autoStart: true,
  requires: [IApps, INotebookTracker],
  optional: [
    ITranslator,
    ICommandPalette,
    ISessionContextDialogs,
    ICompletionProviderManager,
    IDocumentManager,
    IDefaultFileBrowser,
    IRecentsManager
  ],
  activate: (
    app: JupyterFrontEnd,
    apps: IApps,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    dialogs: ISessionContextDialogs | null,
    completions: ICompletionProviderManager | null,
    docs: IDocumentManager | null,
    files: IDefaultFileBrowser | null,
    recents: IRecentsManager | null
  ) => {
    const { commands, shell } = app;
    const trans = load(translator);
    const deploys = new NotebookDeploys(apps, app.serviceManager.contents, trans, translator, dialogs);
    const about = (name: string) => {
      const entry = apps.get(name);
      return entry ? appInWords(entry.view, trans) : trans.__('Not deployed yet');
    };
    const has = (id: string) => commands.hasCommand(id);
    const execute = (id: string, args: Record<string, string>) => void commands.execute(id, args);
    const tools: IViewTools = {
      trans,
      onEditor: editor => editor.injectExtension(magicHelp(about)),
      actions: (panel, cell, { code, entry }) => {
        const { id } = entry?.view ?? { id: code.app };
        const canOpen = entry && entry.view.version !== null && entry.view.target !== 'stopped';
        return {
          deploy:
            code.kind === 'file' ? null : () => void deploys.cell(panel, panel.content.widgets.indexOf(cell)),
          open: canOpen ? () => void window.open(apps.client.appUrl(entry.view), '_blank', 'noopener') : null,
          logs: entry && has(CommandIDs.showLogs) ? () => execute(CommandIDs.showLogs, { app: id }) : null,
          page: entry && has(CommandIDs.openPage) ? () => execute(CommandIDs.openPage, { app: id }) : null,
          retry: () => void apps.refresh()
        };
      },
      get showError() {
        return has(CommandIDs.openPage)
          ? (finding: IFinding) => execute(CommandIDs.openPage, { app: finding.app, tab: 'errors' })
          : null;
      }
    };
    noteDeployed();
    const known = new Known(apps);
    const follow = (panel: NotebookPanel) => {
      const cells = new PanelCells(panel);
      const model = new NotebookModel(cells, apps, known);
      const view = new NotebookView(panel, cells, model, tools);
      panel.disposed.connect(() => [view, model, cells].forEach(each => each.dispose()));
    };
    tracker.forEach(follow);
    tracker.widgetAdded.connect((_, panel) => follow(panel));

    addCommands(commands, {
      trans,
      deploys,
      current: () =>
        tracker.currentWidget && shell.currentWidget === tracker.currentWidget ? tracker.currentWidget : null,
      latest: () => tracker.currentWidget,
      help: () => {
        const editor = tracker.activeCell?.editor as CodeMirrorEditor | null | undefined;
        if (editor) {
          showHelp(editor.editor, about);
        }
      },
      jump: to =>
        jumpToCell(to as IJump, {
          tracker,
          docs,
          trans,
          folders: [
            files?.model.path ?? '',
            '',
            ...(recents?.recentlyOpened ?? []).map(each => PathExt.dirname(each.path))
          ],
          activate: panel => shell.activateById(panel.id)
        })
    });
    for (const command of [CommandIDs.deployCell, CommandIDs.deployMarked]) {
      palette?.addItem({ command, category: 'GoFastAPI', args: { palette: true } });
    }
    completions?.registerProvider(new MagicCompletions(apps, trans));
  }
};

export default [plugin];
