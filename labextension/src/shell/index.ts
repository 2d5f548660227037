import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';

import { AppActions } from '../apps/actions';
import { CommandIDs } from '../commands';
import { notifyError } from '../common/notify';
import { load } from '../common/translation';
import { IApps, ID } from '../tokens';
import { addAppCommands } from './commands';
import { addGeneralCommands } from './newApp';
import { addRunningApps } from './running';
import { tellOfServer } from './serverNotice';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:plugin`,
  description: 'Commands on apps: in palette, menu, launcher and the panel of what runs.',
  autoStart: true,
  requires: [IApps],
  optional: [
    ITranslator,
    ICommandPalette,
    ILauncher,
    IRunningSessionManagers,
    INotebookTracker,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    apps: IApps,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    running: IRunningSessionManagers | null,
    notebooks: INotebookTracker | null,
    settings: ISettingRegistry | null
  ) => {
    const trans = load(translator);
    const actions = new AppActions(apps, trans);
    const general = addGeneralCommands(app, apps, actions, notebooks, trans);
    const ofOne = addAppCommands(app, apps, actions, trans);
    for (const command of [...general, ...ofOne]) {
      palette?.addItem({ command, category: 'GoFastAPI', args: { palette: true } });
    }
    launcher?.add({ command: CommandIDs.newApp, category: 'GoFastAPI', rank: 1, args: { launcher: true } });
    launcher?.add({ command: CommandIDs.showApps, category: 'GoFastAPI', rank: 2 });
    if (running) {
      addRunningApps(running, app, apps, actions, trans);
    }
    tellOfServer(apps.client, trans);
    settings?.load(plugin.id).then(
      loaded => {
        const use = () => {
          apps.client.openThrough = loaded.get('openThrough').composite as typeof apps.client.openThrough;
        };
        loaded.changed.connect(use);
        use();
      },
      error => notifyError(error, trans)
    );
  }
};

export default [plugin];
