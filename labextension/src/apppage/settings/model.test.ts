import { describe, expect, it } from 'vitest';

import type { Client } from '../../api/client';
import { type IOptions, SettingsModel } from './model';

const now: IOptions = { title: 'menu', sleepAfter: '1800s', workers: 1, bodies: false };
const readAgain = () => Promise.resolve();

/** A client that notes what is sent, and answers when it is told to. */
function slowClient() {
  const sent: unknown[] = [];
  const answers: (() => void)[] = [];
  const PATCH = (_: string, request: { body: unknown }) => {
    sent.push(request.body);
    return new Promise(resolve =>
      answers.push(() => resolve({ data: {}, response: new Response(null, { status: 200 }) }))
    );
  };
  return { sent, answer: () => answers.shift()?.(), client: { api: { PATCH } } as unknown as Client };
}

describe('settings', () => {
  it('sends what was changed, and nothing else', async () => {
    const { client, sent, answer } = slowClient();
    const model = new SettingsModel('menu', client);
    model.edit({ workers: 2, title: 'Menu' }, now);
    model.edit({ title: 'menu' }, now);
    const saving = model.save(readAgain);
    answer();
    await saving;
    expect(JSON.parse(JSON.stringify(sent))).toEqual([{ workers: 2 }]);
    expect(model.edits).toEqual({});
  });

  it('keeps what is typed while it is being saved', async () => {
    const { client, answer } = slowClient();
    const model = new SettingsModel('menu', client);
    model.edit({ title: 'The M', bodies: true }, now);
    const saving = model.save(readAgain);
    model.edit({ title: 'The Menu' }, now);
    answer();
    await saving;
    expect(model.edits).toEqual({ title: 'The Menu' });
  });
});
