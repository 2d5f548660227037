import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { IClient, ID } from '../tokens';

const plugin: JupyterFrontEndPlugin<void> = {
  id: `${ID}:data`,
  description: 'Data.',
  autoStart: true,
  requires: [IClient],
  activate: (_app: JupyterFrontEnd, _client: IClient) => undefined
};

export default [plugin];
