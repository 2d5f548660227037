import { JupyterFrontEnd } from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { stopIcon } from '@jupyterlab/ui-components';

import { AppActions } from '../apps/actions';
import { AppsModel } from '../apps/model';
import { stateWord } from '../apps/words';
import { CommandIDs } from '../commands';
import { gofastapiIcon } from '../common/icons';
import type { TranslationBundle } from '../common/translation';

/** Apps that are not stopped, in JupyterLab's "Running" panel. */
export function addRunningApps(
  managers: IRunningSessionManagers,
  app: JupyterFrontEnd,
  apps: AppsModel,
  actions: AppActions,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const serving = () => apps.apps.filter(({ view }) => view.version !== null && view.target !== 'stopped');
  managers.add({
    name: trans.__('Apps'),
    running: () =>
      serving().map(({ view }) => ({
        icon: () => gofastapiIcon,
        label: () => view.id,
        labelTitle: () => view.url ?? view.id,
        detail: () => stateWord(view.state, trans),
        context: 'gofastapi-app',
        open: () => {
          const id = commands.hasCommand(CommandIDs.openPage) ? CommandIDs.openPage : CommandIDs.openApp;
          void commands.execute(id, { app: view.id });
        },
        shutdown: () => void actions.stop(view.id)
      })),
    shutdownAll: () => serving().forEach(({ view }) => void actions.stop(view.id)),
    refreshRunning: () => void apps.refresh(),
    runningChanged: apps.changed,
    shutdownLabel: trans.__('Stop'),
    shutdownAllLabel: trans.__('Stop All'),
    shutdownAllConfirmationText: trans.__('Stop all apps? Their addresses answer again when you start them.'),
    shutdownItemIcon: stopIcon
  });
}
