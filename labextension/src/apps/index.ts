import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { Client } from '../api/client';
import { IApps, IClient, ID } from '../tokens';
import { AppsModel } from './model';

const client: JupyterFrontEndPlugin<IClient> = {
  id: `${ID}:client`,
  description: 'The client of the GoFastAPI service, through the Jupyter server.',
  autoStart: true,
  provides: IClient,
  activate: (app: JupyterFrontEnd) => new Client(app.serviceManager.serverSettings)
};

const apps: JupyterFrontEndPlugin<IApps> = {
  id: `${ID}:apps`,
  description: 'The one model of all apps.',
  autoStart: true,
  requires: [IClient],
  provides: IApps,
  activate: (_app: JupyterFrontEnd, client: IClient) => new AppsModel(client)
};

export default [client, apps];
