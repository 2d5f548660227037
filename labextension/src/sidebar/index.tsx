import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ReactWidget } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import { gofastapiIcon } from '../common/icons';
import { load } from '../common/translation';
import { IApps, ID } from '../tokens';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:sidebar`,
  description: 'The sidebar with all apps.',
  autoStart: true,
  requires: [IApps],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    apps: IApps,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = load(translator);
    const panel = ReactWidget.create(<div className="gf-Sidebar">{trans.__('Apps')}</div>);
    panel.id = 'gofastapi-sidebar';
    panel.title.icon = gofastapiIcon;
    panel.title.caption = trans.__('GoFastAPI');
    app.shell.add(panel, 'left', { rank: 150 });
    restorer?.add(panel, panel.id);
    void apps;
  }
};

export default [plugin];
