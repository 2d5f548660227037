import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { ID } from '../tokens';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:plugin`,
  description: 'Settings of GoFastAPI.',
  autoStart: true,
  activate: (_app: JupyterFrontEnd) => undefined
};

export default [plugin];
