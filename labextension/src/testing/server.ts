/** For unit tests: a real HTTP server that answers as it is told, and a client that asks it. */
import { ServerConnection } from '@jupyterlab/services';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Client } from '../api/client';

export interface IServer {
  client: Client;
  /** What was asked, as `GET /api/apps`. */
  asked: string[];
  close(): Promise<void>;
}

export async function serve(
  answer: (path: string, request: IncomingMessage, response: ServerResponse) => void
): Promise<IServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/base/gofastapi', '');
    asked.push(`${request.method} ${path}`);
    answer(path, request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = ServerConnection.makeSettings({
    baseUrl: `http://127.0.0.1:${port}/base/`,
    token: 'a-token'
  });
  return {
    client: new Client(settings),
    asked,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      })
  };
}

export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {}
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
