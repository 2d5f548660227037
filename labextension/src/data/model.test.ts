import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Event } from '../api/types';
import type { AppsModel } from '../apps/model';
import { PageStub, until } from '../testing/page';
import { json, serve, type IServer } from '../testing/server';
import { DataModel } from './model';

describe('the page of the data', () => {
  let server: IServer;
  let model: DataModel;
  let eventReceived: Signal<unknown, Partial<Event>>;
  const readings = () => server.asked.filter(each => each.includes('/collections/people/documents')).length;

  beforeEach(async () => {
    server = await serve((path, _, response) =>
      json(response, path.includes('/documents') ? { documents: [] } : path.includes('branches') ? [] : {})
    );
    vi.stubGlobal('document', Object.assign(new PageStub(), { cookie: '' }));
    eventReceived = new Signal({});
    const apps = { client: server.client, watch: () => ({ dispose() {} }), eventReceived };
    model = new DataModel(apps as unknown as AppsModel, nullTranslator.load('gofastapi'));
    model.openCollection('people');
    model.isShown = true;
    await until(() => model.collection?.page.value !== undefined, 'read');
  });

  afterEach(async () => {
    model.dispose();
    await server.close();
    vi.unstubAllGlobals();
  });

  it.each(['database_restored', 'branch_promoted'] as const)('reads documents again after %s', async kind => {
    eventReceived.emit({ kind, app: null });
    await until(() => readings() === 2, 'read again');
  });

  it('reads documents again after they were changed elsewhere, by hand or an import', async () => {
    eventReceived.emit({
      kind: 'data_changed',
      app: null,
      details: { collection: 'people', branch: 'next' }
    });
    eventReceived.emit({ kind: 'data_changed', app: null, details: { collection: 'orders', branch: null } });
    const looks = () => server.asked.filter(each => each === 'GET /api/database').length;
    await until(() => looks() === 2, 'sizes read again');
    expect(readings()).toBe(1);
    // Of many at once, as a program writes them, the page is read once.
    for (let number = 0; number < 20; number += 1) {
      eventReceived.emit({
        kind: 'data_changed',
        app: null,
        details: { collection: 'people', branch: null }
      });
    }
    await until(() => looks() === 3, 'sizes read again');
    await until(() => readings() > 1, 'documents read again');
    expect(readings()).toBe(2);
  });

  it('leaves them alone after anything else: somebody may be in them', async () => {
    eventReceived.emit({ kind: 'backed_up', app: null });
    await until(
      () => server.asked.filter(each => each === 'GET /api/database').length === 2,
      'sizes read again'
    );
    expect(readings()).toBe(1);
  });
});
