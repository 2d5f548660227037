import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import apppage from './apppage';
import apps from './apps';
import data from './data';
import drive from './drive';
import notebook from './notebook';
import shell from './shell';
import sidebar from './sidebar';

/** Every plugin; each area brings its own. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  ...apps,
  ...shell,
  ...sidebar,
  ...notebook,
  ...drive,
  ...apppage,
  ...data
];

export default plugins;
