import type { NotebookPanel } from '@jupyterlab/notebook';
import { runIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands';
import { gofastapiIcon } from '../common/icons';
import type { TranslationBundle } from '../common/translation';
import type { NotebookDeploys } from './deploy';

/** The commands of notebooks. */
export function addCommands(
  commands: CommandRegistry,
  tools: {
    trans: TranslationBundle;
    deploys: NotebookDeploys;
    /** The notebook that is looked at. */
    current: () => NotebookPanel | null;
    /** The same, or the one that was looked at last. */
    latest: () => NotebookPanel | null;
    help: () => void;
    jump: (to: object) => Promise<void>;
  }
): void {
  const { trans, deploys, current, latest } = tools;
  const isEnabled = () => current() !== null;

  commands.addCommand(CommandIDs.deployCell, {
    label: args => (args.toolbar ? trans.__('Deploy') : trans.__('Deploy the Current Cell')),
    caption: trans.__('Take the app in this cell, or in the marked cells, live'),
    icon: args => (args.palette ? undefined : args.toolbar ? gofastapiIcon : runIcon),
    isEnabled,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      const panel = current();
      if (panel) {
        await deploys.current(panel);
      }
    }
  });

  commands.addCommand(CommandIDs.deployMarked, {
    label: trans.__('Deploy the Marked Cells'),
    caption: trans.__('Take the app in the cells with "#| deploy: NAME" live'),
    isEnabled,
    describedBy: {
      args: {
        type: 'object',
        properties: { app: { type: 'string', description: 'Its name, where no cell says it yet' } }
      }
    },
    execute: async args => {
      const app = typeof args.app === 'string' ? args.app : undefined;
      const panel = app === undefined ? current() : latest();
      if (panel) {
        await deploys.marked(panel, app);
      }
    }
  });

  commands.addCommand(CommandIDs.magicHelp, {
    label: trans.__('Show Help on the Magic'),
    isEnabled,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => tools.help()
  });

  commands.addCommand(CommandIDs.jumpToCell, {
    label: trans.__("Show a Cell's Line"),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          notebook: { type: 'string', description: "The notebook's file name or path" },
          cell_id: { type: 'string', description: "The cell's id" },
          label: { type: 'string', description: 'Its number, as In[5]' },
          line: { type: 'number', description: 'The line of the cell, from 1' },
          text: { type: 'string', description: 'The text of the line' }
        }
      }
    },
    execute: async args => tools.jump(args)
  });
}
