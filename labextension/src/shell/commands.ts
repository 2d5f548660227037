import { JupyterFrontEnd } from '@jupyterlab/application';
import {
  copyIcon,
  deleteIcon,
  duplicateIcon,
  LabIcon,
  launchIcon,
  listIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { AppView } from '../api/types';
import { AppActions } from '../apps/actions';
import { chooseApp } from '../apps/choose';
import { AppsModel } from '../apps/model';
import { CommandIDs } from '../commands';
import type { TranslationBundle } from '../common/translation';

/** A command on one app. */
interface IVerb {
  id: string;
  /** In a menu of the app. */
  label: string;
  /** In the palette, where the app is asked for. */
  ask: string;
  icon: LabIcon;
  fits: (app: AppView) => boolean;
  run: (app: AppView) => unknown;
}

/** Add the commands that act on one app: with `{ app }` on that one, else on one the person picks. */
export function addAppCommands(
  app: JupyterFrontEnd,
  apps: AppsModel,
  actions: AppActions,
  trans: TranslationBundle
): string[] {
  const { commands } = app;
  const verbs = verbsOf(app, actions, trans);
  for (const verb of verbs) {
    commands.addCommand(verb.id, {
      label: args => (typeof args.app === 'string' ? verb.label : verb.ask),
      caption: verb.label,
      icon: args => (args.toolbar || args.menu ? verb.icon : undefined),
      isEnabled: args => {
        const entry = typeof args.app === 'string' ? apps.get(args.app) : undefined;
        return entry === undefined || verb.fits(entry.view);
      },
      isVisible: args =>
        verb.id !== CommandIDs.showLogs || commands.hasCommand(CommandIDs.openPage) || !args.menu,
      describedBy: {
        args: { type: 'object', properties: { app: { type: 'string', description: "The app's name" } } }
      },
      execute: async args => {
        const chosen = await choose(args, apps, verb, trans);
        return chosen ? verb.run(chosen) : undefined;
      }
    });
  }
  return verbs.map(verb => verb.id);
}

function verbsOf(app: JupyterFrontEnd, actions: AppActions, trans: TranslationBundle): IVerb[] {
  const hasUrl = (view: AppView) => view.url !== null && view.version !== null;
  return [
    {
      id: CommandIDs.openApp,
      label: trans.__('Open'),
      ask: trans.__('Open an App …'),
      icon: launchIcon,
      fits: view => hasUrl(view) && view.target !== 'stopped',
      run: view => actions.open(view)
    },
    {
      id: CommandIDs.copyUrl,
      label: trans.__('Copy Address'),
      ask: trans.__("Copy an App's Address …"),
      icon: copyIcon,
      fits: hasUrl,
      run: view => actions.copyUrl(view)
    },
    {
      id: CommandIDs.showLogs,
      label: trans.__('Logs'),
      ask: trans.__("Show an App's Logs …"),
      icon: listIcon,
      fits: () => true,
      run: view => app.commands.execute(CommandIDs.openPage, { app: view.id, tab: 'logs' })
    },
    {
      id: CommandIDs.stop,
      label: trans.__('Stop'),
      ask: trans.__('Stop an App …'),
      icon: stopIcon,
      fits: view => view.version !== null && view.target !== 'stopped',
      run: view => actions.stop(view.id)
    },
    {
      id: CommandIDs.start,
      label: trans.__('Start'),
      ask: trans.__('Start an App …'),
      icon: runIcon,
      fits: view => view.version !== null && view.target === 'stopped',
      run: view => actions.start(view.id)
    },
    {
      id: CommandIDs.restart,
      label: trans.__('Restart'),
      ask: trans.__('Restart an App …'),
      icon: refreshIcon,
      fits: view => view.version !== null && view.target === 'running',
      run: view => actions.restart(view.id)
    },
    {
      id: CommandIDs.clone,
      label: trans.__('Clone …'),
      ask: trans.__('Clone an App …'),
      icon: duplicateIcon,
      fits: () => true,
      run: view => actions.clone(view.id)
    },
    {
      id: CommandIDs.remove,
      label: trans.__('Delete …'),
      ask: trans.__('Delete an App …'),
      icon: deleteIcon,
      fits: () => true,
      run: view => actions.remove(view.id)
    }
  ];
}

async function choose(
  args: ReadonlyPartialJSONObject,
  apps: AppsModel,
  verb: IVerb,
  trans: TranslationBundle
): Promise<AppView | null> {
  if (typeof args.app === 'string') {
    await known(args.app, apps);
    return apps.get(args.app)?.view ?? null;
  }
  return chooseApp(apps, trans, verb.label, verb.fits);
}

/** Read the list where an app is not in it: it may be new, or nobody has looked yet. */
async function known(app: string, apps: AppsModel): Promise<void> {
  if (!apps.get(app)) {
    await apps.refresh();
  }
}
