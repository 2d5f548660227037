import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { dataIcon } from '../common/icons';
import { load } from '../common/translation';
import { IApps, ID } from '../tokens';
import { isTab } from './model';
import { DataPage } from './widget';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:data`,
  description: "The page of a person's database.",
  autoStart: true,
  requires: [IApps],
  optional: [ILayoutRestorer, ITranslator, IEditorLanguageRegistry, ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    apps: IApps,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    languages: IEditorLanguageRegistry | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const trans = load(translator);
    const { commands, shell } = app;
    const tracker = new WidgetTracker<DataPage>({ namespace: 'gofastapi-data' });
    const loadEditor = async () => ({ editor: await import('../common/editor'), languages });

    commands.addCommand(CommandIDs.openData, {
      label: trans.__('Your Data'),
      caption: trans.__('Collections, documents, credentials, backups and branches of your database'),
      icon: dataIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            collection: { type: 'string' },
            branch: { type: 'string' },
            tab: { type: 'string' }
          }
        }
      },
      execute: args => {
        let page = tracker.find(() => true);
        if (!page) {
          page = new DataPage({ apps, trans, commands, loadEditor });
          const made = page;
          made.model.changed.connect(() => void tracker.save(made));
        }
        const { model } = page;
        if (typeof args.branch === 'string') {
          model.openBranch(args.branch === '' || args.branch === 'main' ? null : args.branch);
        }
        if (typeof args.collection === 'string') {
          model.openCollection(args.collection || null);
        }
        if (isTab(args.tab)) {
          model.openTab(args.tab);
        }
        if (!page.isAttached) {
          shell.add(page, 'main');
          void tracker.add(page);
        }
        shell.activateById(page.id);
        return page;
      }
    });
    palette?.addItem({ command: CommandIDs.openData, category: 'GoFastAPI' });
    launcher?.add({ command: CommandIDs.openData, category: 'GoFastAPI', rank: 3 });

    void restorer?.restore(tracker, {
      command: CommandIDs.openData,
      args: ({ model }) => ({
        collection: model.collection?.name ?? '',
        branch: model.branch ?? '',
        tab: model.tab
      }),
      name: () => 'data'
    });
  }
};

export default [plugin];
