import { ILabStatus, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ITranslator } from '@jupyterlab/translation';

import { chooseApp } from '../apps/choose';
import { CommandIDs } from '../commands';
import { gofastapiIcon } from '../common/icons';
import { load } from '../common/translation';
import { IApps, ID } from '../tokens';
import { isTab } from './model';
import { AppPage } from './widget';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:apppage`,
  description: "An app's page in the main area.",
  autoStart: true,
  requires: [IApps],
  optional: [ILayoutRestorer, ITranslator, IEditorLanguageRegistry, ICommandPalette, ILabStatus],
  activate: (
    app: JupyterFrontEnd,
    apps: IApps,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    languages: IEditorLanguageRegistry | null,
    palette: ICommandPalette | null,
    status: ILabStatus | null
  ) => {
    const trans = load(translator);
    const { commands, shell } = app;
    const tracker = new WidgetTracker<AppPage>({ namespace: 'gofastapi-apppage' });
    const loadEditor = async () => ({ editor: await import('../common/editor'), languages });

    commands.addCommand(CommandIDs.openPage, {
      label: args => (args.app ? trans.__('Page of %1', String(args.app)) : trans.__('Page of an App …')),
      icon: args => (args.palette ? undefined : gofastapiIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: { app: { type: 'string' }, tab: { type: 'string' } }
        }
      },
      execute: async args => {
        const isKnown = typeof args.app === 'string' && args.app !== '';
        const id = isKnown ? String(args.app) : (await chooseApp(apps, trans, trans.__('Open the Page')))?.id;
        if (id === undefined) {
          return;
        }
        let page = tracker.find(each => each.model.app === id);
        if (!page) {
          page = new AppPage({ app: id, apps, trans, commands, loadEditor, status });
          const made = page;
          made.model.changed.connect(() => void tracker.save(made));
        }
        if (isTab(args.tab)) {
          page.model.openTab(args.tab);
        }
        if (!page.isAttached) {
          shell.add(page, 'main');
          void tracker.add(page);
        }
        shell.activateById(page.id);
        return page;
      }
    });

    palette?.addItem({ command: CommandIDs.openPage, category: 'GoFastAPI', args: { palette: true } });
    void restorer?.restore(tracker, {
      command: CommandIDs.openPage,
      args: ({ model }) => ({ app: model.app, tab: model.tab }),
      name: ({ model }) => model.app
    });
  }
};

export default [plugin];
