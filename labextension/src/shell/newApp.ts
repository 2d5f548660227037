import { JupyterFrontEnd } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { addIcon, refreshIcon, runIcon } from '@jupyterlab/ui-components';

import { data } from '../api/client';
import { AppActions } from '../apps/actions';
import { AppsModel } from '../apps/model';
import { freeName } from '../apps/naming';
import { askForNewApp } from '../apps/newApp';
import { CommandIDs } from '../commands';
import { gofastapiIcon } from '../common/icons';
import { notifyError } from '../common/notify';
import { Once } from '../common/once';
import type { TranslationBundle } from '../common/translation';

/** Add the commands that make apps, and those on all of them. */
export function addGeneralCommands(
  app: JupyterFrontEnd,
  apps: AppsModel,
  actions: AppActions,
  notebooks: INotebookTracker | null,
  trans: TranslationBundle
): string[] {
  const { commands, shell } = app;

  const asking = new Once();
  const deployed = async (name: string, body: Record<string, unknown>) => {
    if ((await actions.deploy(name, body)) && commands.hasCommand(CommandIDs.openPage)) {
      await commands.execute(CommandIDs.openPage, { app: name });
    }
  };

  commands.addCommand(CommandIDs.showApps, {
    label: trans.__('Show Apps'),
    caption: trans.__('Show the sidebar with your GoFastAPI apps'),
    icon: args => (args.palette ? undefined : gofastapiIcon),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => shell.activateById('gofastapi-sidebar')
  });

  commands.addCommand(CommandIDs.newApp, {
    label: args => (args.launcher ? trans.__('New App') : trans.__('New App …')),
    caption: trans.__('Deploy an app made from a template or from the current notebook'),
    icon: args => (args.palette ? undefined : args.launcher ? gofastapiIcon : addIcon),
    describedBy: {
      args: {
        type: 'object',
        properties: { template: { type: 'string', description: 'The template to begin with' } }
      }
    },
    execute: async args => {
      const panel = notebooks?.currentWidget ?? null;
      const usable = panel !== null && commands.hasCommand(CommandIDs.deployMarked);
      const chosen = await asking.orNever('new app', async () => {
        await apps.refresh();
        return askForNewApp({
          client: apps.client,
          trans,
          taken: apps.names,
          notebook: usable ? panel.title.label : null,
          template: typeof args.template === 'string' ? args.template : undefined
        });
      });
      if (chosen === null) {
        return;
      }
      if ('template' in chosen) {
        shell.activateById('gofastapi-sidebar');
        const { bundle, title } = chosen.template;
        await deployed(chosen.name, { bundle, message: trans.__('From the template "%1"', title) });
      } else if (panel && !panel.isDisposed) {
        // It may be behind the launcher, say.
        shell.activateById(panel.id);
        await commands.execute(CommandIDs.deployMarked, { app: chosen.name });
      }
    }
  });

  commands.addCommand(CommandIDs.deployExample, {
    label: trans.__('Deploy the Example'),
    caption: trans.__('From nothing to a live app in one click'),
    icon: args => (args.palette ? undefined : runIcon),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      try {
        const [templates] = await Promise.all([data(apps.client.api.GET('/api/templates')), apps.refresh()]);
        const [example] = templates;
        await deployed(freeName(example.id, apps.names), { bundle: example.bundle });
      } catch (error) {
        notifyError(error, trans, () => void commands.execute(CommandIDs.deployExample));
      }
    }
  });

  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Apps'),
    icon: args => (args.palette ? undefined : refreshIcon),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => apps.refresh()
  });

  return [CommandIDs.showApps, CommandIDs.newApp, CommandIDs.deployExample, CommandIDs.refresh];
}
