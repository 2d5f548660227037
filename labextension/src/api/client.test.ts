import { afterEach, describe, expect, it } from 'vitest';

import { json, serve, type IServer } from '../testing/server';
import { data } from './client';
import { ApiError, isAbort, OfflineError, ServerMissingError } from './errors';
import type { StageEvent } from './types';
import { VERSION } from './version';

let server: IServer;
afterEach(() => server.close());

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => error
  );

describe('the client', () => {
  it('asks the relay with the token, and encodes names', async () => {
    let token: string | undefined;
    server = await serve((_, request, response) => {
      token = request.headers.authorization;
      json(response, { id: 'a b' });
    });
    await data(server.client.api.GET('/api/apps/{app_id}', { params: { path: { app_id: 'a b' } } }));
    expect(server.asked).toEqual(['GET /api/apps/a%20b']);
    expect(token).toBe('token a-token');
  });

  it('throws what the API says of an error', async () => {
    const body = {
      message: 'There is no app "x".',
      code: 'not_found',
      details: { near: 'y' },
      request_id: 'r1'
    };
    server = await serve((_, __, response) => json(response, body, 404, { 'X-GoFastAPI-Version': VERSION }));
    const error = await caught(server.client.api.GET('/api/apps'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ message: body.message, code: 'not_found', status: 404, requestId: 'r1' });
    expect(server.client.server).toEqual({ kind: 'ok' });
  });

  it('knows a server without its other half, and one of another version', async () => {
    let answer: (response: Parameters<typeof json>[0]) => void = response =>
      json(response, { message: 'Not Found' }, 404);
    server = await serve((_, __, response) => answer(response));
    const states: unknown[] = [];
    server.client.serverChanged.connect((_, state) => states.push(state));
    expect(await caught(server.client.api.GET('/api/me'))).toBeInstanceOf(ServerMissingError);
    answer = response => json(response, {}, 200, { 'X-GoFastAPI-Version': '9.9' });
    await server.client.api.GET('/api/me');
    await server.client.api.GET('/api/me');
    answer = response => json(response, {}, 200, { 'X-GoFastAPI-Version': VERSION });
    await server.client.api.GET('/api/me');
    expect(states).toEqual([{ kind: 'missing' }, { kind: 'other-version', version: '9.9' }, { kind: 'ok' }]);
  });

  it('says when nobody answers', async () => {
    server = await serve((_, __, response) => json(response, {}));
    await server.close();
    expect(await caught(server.client.api.GET('/api/me'))).toBeInstanceOf(OfflineError);
  });

  it('gives the stages of a deploy as they come, wherever the pieces are cut', async () => {
    const later: (() => void)[] = [];
    server = await serve((_, __, response) => {
      response.write('{"stage":"validate","seconds":0.1}\n{"stage":"re');
      later.push(() => response.end('lease","seconds":0.2}\n{"stage":"live","seconds":1}'));
    });
    const stages: StageEvent[] = [];
    for await (const stage of server.client.stages('/api/apps/a/deploy', { body: {} })) {
      stages.push(stage);
      later.pop()?.();
    }
    expect(stages.map(each => each.stage)).toEqual(['validate', 'release', 'live']);
  });

  it('ends a request that nobody waits for', async () => {
    let gone = false;
    server = await serve((_, request, response) => {
      request.on('close', () => (gone = true));
      response.write('{"text":"one"}\n');
    });
    const stop = new AbortController();
    const reading = (async () => {
      for await (const line of server.client.stream('/api/apps/a/logs?follow=1', { signal: stop.signal })) {
        expect(line).toEqual({ text: 'one' });
        stop.abort();
      }
    })();
    expect(isAbort(await caught(reading))).toBe(true);
    await expect.poll(() => gone).toBe(true);
  });

  it('comes back to the events after a break, with the id of the last', async () => {
    const last: (string | undefined)[] = [];
    server = await serve((_, request, response) => {
      last.push(request.headers['last-event-id'] as string | undefined);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(`retry: 1000\n\nid: ${last.length}\nevent: woke\ndata: {"id":${last.length}}\n\n`);
      if (last.length === 1) {
        // Once the first event is there.
        setTimeout(() => response.destroy(), 50);
      }
    });
    const stop = new AbortController();
    const ids: number[] = [];
    for await (const event of server.client.events({ signal: stop.signal })) {
      ids.push(event.id);
      if (ids.length === 2) {
        stop.abort();
      }
    }
    expect(ids).toEqual([1, 2]);
    expect(last).toEqual([undefined, '1']);
  });
});
