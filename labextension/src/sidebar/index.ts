import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';

import { gofastapiIcon } from '../common/icons';
import { load } from '../common/translation';
import { IApps, ID } from '../tokens';
import type { Sort } from './arrange';
import { Sidebar } from './sidebar';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:sidebar`,
  description: 'The sidebar with all apps.',
  autoStart: true,
  requires: [IApps],
  optional: [ILayoutRestorer, ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    apps: IApps,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    settings: ISettingRegistry | null
  ) => {
    const trans = load(translator);
    const sidebar = new Sidebar(app.commands, apps, trans);
    sidebar.id = 'gofastapi-sidebar';
    sidebar.title.icon = gofastapiIcon;
    sidebar.title.caption = trans.__('GoFastAPI apps');
    app.shell.add(sidebar, 'left', { rank: 150, type: 'GoFastAPI' });
    restorer?.add(sidebar, sidebar.id);

    // The order is a setting, so that it is the same tomorrow and on every computer.
    void settings?.load(`${ID}:plugin`).then(loaded => {
      const use = () => {
        sidebar.sort = loaded.get('sortApps').composite as Sort;
      };
      loaded.changed.connect(use);
      use();
      sidebar.sortChosen.connect((_, sort) => void loaded.set('sortApps', sort));
    });
  }
};

export default [plugin];
