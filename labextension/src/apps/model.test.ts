import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServerResponse } from 'node:http';

import { PageStub, until } from '../testing/page';
import { json, serve, type IServer } from '../testing/server';
import { AppsModel } from './model';

describe('the model of all apps', () => {
  let server: IServer;
  let page: PageStub;
  let names: string[];
  let streams: ServerResponse[];
  let broken: boolean;
  let refused: boolean;
  let model: AppsModel;

  beforeEach(async () => {
    page = new PageStub();
    [names, streams, broken, refused] = [['hello'], [], false, false];
    server = await serve((path, _, response) => {
      if (broken) {
        json(response, { message: 'The service is being restarted.', code: 'unavailable' }, 503);
      } else if (refused) {
        json(response, { message: 'Sign in again.' }, 403);
      } else if (path === '/api/events') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('retry: 1000\n\n');
        streams.push(response);
      } else if (path === '/api/metrics') {
        json(
          response,
          names.map(app => ({ app, requests: 5 }))
        );
      } else {
        json(
          response,
          names.map(id => ({ id, title: id, state: 'running' }))
        );
      }
    });
    model = new AppsModel(server.client, page);
  });

  afterEach(async () => {
    model.dispose();
    await server.close();
  });

  const ids = () => model.apps.map(entry => entry.view.id).join();

  it('asks nothing before somebody watches', () => {
    expect(server.asked).toEqual([]);
  });

  it('reads apps and figures, and again after an event', async () => {
    const watching = model.watch();
    await until(() => model.get('hello')?.numbers?.requests === 5, 'read');
    names = ['hello', 'notes'];
    streams[0].write('id: 7\nevent: deployed\ndata: {"id":7,"kind":"deployed"}\n\n');
    await until(() => ids() === 'hello,notes', 'read again');
    watching.dispose();
  });

  it('lets go of the stream while the page is hidden, and looks anew when it is back', async () => {
    model.watch();
    await until(() => streams.length === 1 && model.isReady, 'open');
    let closed = false;
    streams[0].on('close', () => (closed = true));
    page.show(false);
    await until(() => closed, 'closed');
    const before = server.asked.length;
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(server.asked.length).toBe(before);
    names = ['notes'];
    page.show(true);
    await until(() => ids() === 'notes', 'read again');
  });

  it('keeps one stream for several watchers, and ends it with the last', async () => {
    const watchers = [model.watch(), model.watch()];
    await until(() => streams.length === 1, 'open');
    let closed = false;
    streams[0].on('close', () => (closed = true));
    watchers[0].dispose();
    watchers[0].dispose();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(closed).toBe(false);
    watchers[1].dispose();
    await until(() => closed, 'closed');
    expect(server.asked.filter(each => each === 'GET /api/events')).toHaveLength(1);
  });

  it('says why it could not read, keeps what it has, and recovers', async () => {
    await model.refresh();
    broken = true;
    await model.refresh();
    expect(String(model.error)).toContain('The service is being restarted.');
    expect(ids()).toBe('hello');
    broken = false;
    await model.refresh();
    expect(model.error).toBeNull();
  });

  it('follows again after it was refused, once somebody tries again', async () => {
    refused = true;
    model.watch();
    await until(() => model.error !== null, 'refused');
    refused = false;
    await model.refresh();
    await until(() => streams.length === 1, 'open');
    names = ['notes'];
    streams[0].write('id: 7\nevent: deployed\ndata: {"id":7,"kind":"deployed"}\n\n');
    await until(() => ids() === 'notes', 'read again');
    expect(model.error).toBeNull();
  });

  it('tells what a deploy is at, until it is over', async () => {
    let end = () => {};
    await server.close();
    server = await serve((_, __, response) => {
      response.write('{"stage":"validate","seconds":0.1}\n');
      end = () => response.end('{"stage":"live","seconds":1,"version":1}\n');
    });
    const deploys = new AppsModel(server.client, page).deploys;
    const running = deploys.run('hello', '/api/apps/hello/deploy', { body: {} });
    expect(deploys.running.get('hello')?.now).toBe('validate');
    await until(() => deploys.running.get('hello')?.now === 'release', 'the first stage');
    end();
    expect(await running).toMatchObject({ stage: 'live', version: 1 });
    expect(deploys.running.size).toBe(0);
  });

  it('takes a deploy that breaks off for no success', async () => {
    await server.close();
    server = await serve((_, __, response) => response.end('{"stage":"validate","seconds":0.1}\n'));
    const deploys = new AppsModel(server.client, page).deploys;
    await expect(deploys.run('hello', '/api/apps/hello/deploy')).rejects.toThrow('went away');
    expect(deploys.running.size).toBe(0);
  });
});
