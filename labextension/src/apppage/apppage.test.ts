import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import type {
  DeploymentView,
  ErrorView,
  LogLine,
  MetricsView,
  RouteNumbers,
  StageEvent,
  VariableView
} from '../api/types';
import type { AppsModel } from '../apps/model';
import { EnvChanges } from './environment/changes';
import { filtered, mayChangeSomething, parseHeaders, title } from './errors/model';
import { filesOf } from './history/files';
import { LogBuffer } from './logs/buffer';
import { AppPageModel } from './model';
import { segments, sortedRoutes, timeline, total } from './overview/figures';
import { qrPath } from './overview/qr';
import { isThisMachine } from './overview/reach';
import { placeOf } from './parts/places';
import { Resource } from '../common/resource';
import { StageRun } from './parts/stageRun';

const trans = nullTranslator.load('gofastapi');

describe('the log', () => {
  const line = (text: string, position = text): LogLine => ({
    time: '2026-01-01T00:00:00Z',
    version: 1,
    pid: 1,
    text,
    position
  });
  const texts = (buffer: LogBuffer) => buffer.lines.map(each => each.text);

  it('never keeps more than it is to', () => {
    const buffer = new LogBuffer(3);
    for (let number = 0; number < 20; number += 1) {
      buffer.add(line(String(number)));
      expect(buffer.lines.length).toBeLessThanOrEqual(3);
    }
    expect(texts(buffer)).toEqual(['17', '18', '19']);
    expect(new Set(buffer.lines.map(each => each.key)).size).toBe(3);
  });

  it('stands still while more comes, and goes on with it', () => {
    const buffer = new LogBuffer();
    buffer.add(line('a'));
    buffer.pause();
    buffer.add(line('b'));
    buffer.add(line('c'));
    expect([texts(buffer), buffer.waiting]).toEqual([['a'], 2]);
    buffer.resume();
    expect([texts(buffer), buffer.waiting]).toEqual([['a', 'b', 'c'], 0]);
  });

  it('is cleared without losing its place', () => {
    const buffer = new LogBuffer();
    buffer.add(line('a', 'p1'));
    buffer.pause();
    buffer.clear();
    expect([texts(buffer), buffer.position, buffer.isPaused]).toEqual([[], 'p1', true]);
    buffer.reset();
    expect([buffer.position, buffer.isPaused]).toEqual([undefined, false]);
  });

  it('shows no codes of terminals', () => {
    const buffer = new LogBuffer();
    buffer.add(line('\u001b[1;31mred\u001b[0m\u0007 and\ttab'));
    expect(texts(buffer)).toEqual(['red and\ttab']);
  });
});

describe('figures', () => {
  const point = (at: string, requests: number) => ({
    at,
    requests,
    client_errors: 1,
    server_errors: 2,
    p50_ms: 4
  });

  it('have a place for each step of the day, and a gap is a gap', () => {
    const line = timeline({
      since: '2026-01-01T00:00:00Z',
      until: '2026-01-01T02:00:00Z',
      step_seconds: 1800,
      points: [point('2026-01-01T00:30:00Z', 7), point('2026-01-01T02:00:00Z', 9)]
    } as unknown as MetricsView);
    expect(line.times.length).toBe(5);
    expect(line.requests).toEqual([null, 7, null, null, 9]);
    expect(line.errors).toEqual([null, 3, null, null, 3]);
    expect(line.p95).toEqual([null, null, null, null, null]);
  });

  it('sort routes with unknown ones last', () => {
    const route = (name: string, p95?: number) =>
      ({ method: 'GET', route: name, p95_ms: p95 }) as unknown as RouteNumbers;
    const routes = [route('/b'), route('/a', 2), route('/c', 5)];
    const names = (key: 'p95_ms' | 'route', descending: boolean) =>
      sortedRoutes(routes, key, descending).map(each => each.route);
    expect(names('p95_ms', true)).toEqual(['/c', '/a', '/b']);
    expect(names('p95_ms', false)).toEqual(['/a', '/c', '/b']);
    expect(names('route', false)).toEqual(['/a', '/b', '/c']);
  });

  it('split a deploy into what took how long', () => {
    const deployment = {
      stages: { validate: 0.1, start: 0.2 },
      seconds: 0.5,
      client_seconds: 0.05
    } as unknown as DeploymentView;
    expect(segments(deployment).map(part => part.name)).toEqual(['client', 'validate', 'start', 'rest']);
    expect(total(deployment)).toBeCloseTo(0.55);
    const failed = { ...deployment, failed_stage: 'ready' } as DeploymentView;
    expect(segments(failed).map(part => part.name)).toEqual(['client', 'validate', 'start', 'ready']);
  });
});

describe('changes of the environment', () => {
  const variable = (name: string, value: string | null, more: Partial<VariableView> = {}): VariableView => ({
    name,
    value,
    secret: value === null,
    missing: false,
    overridden: false,
    updated_at: '',
    updated_by: '',
    ...more
  });
  const known = [
    variable('MODE', 'fast'),
    variable('TOKEN', null),
    variable('LOST', null, { missing: true })
  ];

  it('are one batch', () => {
    const changes = new EnvChanges();
    changes.set('MODE', { value: 'slow', secret: false }, known[0]);
    changes.set('NEW', { value: 'hush hush', secret: true });
    changes.remove('TOKEN', true);
    expect(changes.count).toBe(3);
    expect(changes.toChange()).toEqual({
      set: { MODE: { value: 'slow', secret: false }, NEW: { value: 'hush hush', secret: true } },
      unset: ['TOKEN']
    });
    const rows = changes.rows(known);
    expect(rows.map(row => row.name)).toEqual(['LOST', 'MODE', 'NEW', 'TOKEN']);
    expect(rows.filter(row => row.isRemoved).map(row => row.name)).toEqual(['TOKEN']);
  });

  it('are none where all is as it was', () => {
    const changes = new EnvChanges();
    changes.set('MODE', { value: 'slow', secret: false }, known[0]);
    changes.set('MODE', { value: 'fast', secret: false }, known[0]);
    changes.set('NEW', { value: '1', secret: false });
    changes.remove('NEW', false);
    changes.remove('TOKEN', true);
    changes.keep('TOKEN');
    expect(changes.isEmpty).toBe(true);
  });

  it('keep that a plain value becomes a secret', () => {
    const changes = new EnvChanges();
    changes.set('MODE', { value: 'fast', secret: true }, known[0]);
    expect(changes.rows(known).find(row => row.name === 'MODE')?.secret).toBe(true);
  });
});

describe('errors', () => {
  const error = (exception: string | null, message: string, type = 'server') =>
    ({ exception, message, type }) as ErrorView;

  it('are named by their exception and what it says', () => {
    expect(title(error('KeyError', "'toast'"))).toBe("KeyError: 'toast'");
    expect(title(error('KeyError', 'KeyError: x'))).toBe('KeyError: x');
    expect(title(error('KeyError', ''))).toBe('KeyError');
    expect(title(error(null, 'Not Found'))).toBe('Not Found');
    expect(
      filtered([error(null, 'a'), error(null, 'b', 'client')], 'client').map(each => each.message)
    ).toEqual(['b']);
  });

  it('are replayed without a question only where nothing may change', () => {
    expect(['get', 'HEAD', 'POST', 'DELETE'].map(mayChangeSomething)).toEqual([false, false, true, true]);
    expect(parseHeaders('A: b: c\n\n X-Y : z ')).toEqual({ A: 'b: c', 'X-Y': 'z' });
    expect(() => parseHeaders('nothing')).toThrow('"nothing" is no header');
  });
});

describe('the page', () => {
  it('has something to save while variables or settings are changed', () => {
    const apps = { client: {}, deploys: {}, get: () => ({}), isReady: true } as unknown as AppsModel;
    const model = new AppPageModel('menu', apps);
    expect(model.hasChanges).toBe(false);
    const now = { title: 'menu', sleepAfter: 'never', workers: 1, bodies: false };
    model.settings.edit({ title: 'The M' }, now);
    expect(model.hasChanges).toBe(true);
    model.settings.edit({ title: 'menu' }, now);
    expect(model.hasChanges).toBe(false);
    model.environment.set('TOKEN', { value: 'hush', secret: true });
    expect(model.hasChanges).toBe(true);
  });
});

describe('places', () => {
  it('are a cell, else a file of the draft, else nothing', () => {
    const cell = { label: 'In[3]', notebook: 'a/b.ipynb', cell_id: 'x', line: 4 };
    expect(placeOf({ cell, file: 'main.py', line: 9 }, 'hello', trans)).toMatchObject({
      kind: 'cell',
      cell: { cell_id: 'x' },
      label: 'In[3], line 4'
    });
    expect(placeOf({ cell: { label: 'In[3]' }, file: 'a/b.py', line: 9 }, 'hello', trans)).toMatchObject({
      kind: 'file',
      path: 'hello/a/b.py',
      line: 9
    });
    expect(placeOf({ file: '/usr/lib/x.py', line: 1 }, 'hello', trans)).toBeUndefined();
    expect(placeOf({}, 'hello', trans)).toBeUndefined();
  });

  it('are on this machine only where no other one reaches them', () => {
    expect(
      ['http://127.0.0.1:1/', 'http://localhost:2/', 'http://[::1]:3/', 'http://a.localhost/'].map(
        isThisMachine
      )
    ).toEqual([true, true, true, true]);
    expect(['https://hub.example.org/user/a/', 'http://192.168.0.5:8888/'].map(isThisMachine)).toEqual([
      false,
      false
    ]);
  });

  it('become codes with a white border', () => {
    const { size, path } = qrPath('http://192.168.0.5:8888/gofastapi/apps/hello/');
    expect(size).toBeGreaterThan(29);
    expect(path.startsWith('M4 4h1v1h-1z')).toBe(true);
  });
});

describe('files', () => {
  it('come by path, with their sizes', () => {
    const files = filesOf({
      files: {
        'b.png': { base64: 'AAAA', blob_bytes: 0 },
        'a.py': { text: 'é', blob_bytes: 0 },
        c: { blob: 'ff', blob_bytes: 9 }
      }
    });
    expect([...files]).toEqual([
      ['a.py', { text: 'é', bytes: 2 }],
      ['b.png', { text: null, bytes: 3 }],
      ['c', { text: null, bytes: 9 }]
    ]);
  });
});

describe('what is read', () => {
  it('is what was asked for last, whichever answer comes last', async () => {
    const answers: ((value: string) => void)[] = [];
    const resource = new Resource(() => new Promise<string>(resolve => answers.push(resolve)));
    const readings = [resource.refresh(), resource.refresh()];
    answers[1]('new');
    answers[0]('old');
    await Promise.all(readings);
    expect(resource.value).toBe('new');
  });

  it('stays where reading it again fails', async () => {
    let fails = false;
    const resource = new Resource(async () => {
      if (fails) {
        throw new Error('gone');
      }
      return 1;
    });
    await resource.refresh();
    fails = true;
    await resource.refresh();
    expect([resource.value, (resource.error as Error).message]).toEqual([1, 'gone']);
  });
});

describe('a run', () => {
  async function* stages(...names: string[]) {
    for (const stage of names) {
      yield { stage, seconds: 0.1 } as StageEvent;
    }
  }

  it('ends with its last stage', async () => {
    const run = new StageRun();
    const end = await run.follow(stages('start', 'ready', 'live'));
    expect([end?.stage, run.isRunning, run.events.length]).toEqual(['live', false, 3]);
    run.clear();
    expect(run.end).toBeUndefined();
  });

  it('that breaks off is no end', async () => {
    const run = new StageRun();
    async function* broken() {
      yield* stages('start');
      throw new Error('offline');
    }
    expect(await run.follow(broken())).toBeUndefined();
    expect([(run.error as Error).message, run.end]).toEqual(['offline', undefined]);
  });
});
