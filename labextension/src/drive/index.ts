import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ITranslator } from '@jupyterlab/translation';

import { load } from '../common/translation';
import { IApps, IClient, ID } from '../tokens';
import { addBrowser, leaveToHome } from './addBrowser';
import { addCommands } from './addCommands';
import { addEditors } from './addEditors';
import { makeDrive } from './makeDrive';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:drive`,
  description: 'Apps as a drive of the file browser, and the toolbar above an editor of their files.',
  autoStart: true,
  requires: [IClient, IApps, IDocumentManager],
  optional: [
    IFileBrowserFactory,
    IDefaultFileBrowser,
    IEditorLanguageRegistry,
    ICommandPalette,
    ILayoutRestorer,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    apps: IApps,
    manager: IDocumentManager,
    factory: IFileBrowserFactory | null,
    home: IDefaultFileBrowser | null,
    languages: IEditorLanguageRegistry | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = load(translator);
    const parts = makeDrive(app, client, apps, languages, trans);
    addEditors(app, parts, trans);
    addCommands(app, parts, manager, palette, trans);
    if (factory) {
      const browser = addBrowser(app, factory, parts, restorer, trans);
      if (home) {
        leaveToHome(browser, home);
      }
    }
  }
};

export default [plugin];
