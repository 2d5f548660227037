import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { AppView, CellCode } from '../api/types';
import { AppsModel } from '../apps/model';
import { json, serve, type IServer } from '../testing/server';
import { crc32 } from './cell';
import type { IDeployed } from './findings';
import { Known } from './known';
import { NotebookModel, type INotebookCell, type INotebookCells } from './model';

const APP = 'from fastapi import FastAPI\napp = FastAPI()';

/** A notebook in memory. */
class Cells implements INotebookCells {
  constructor(public cells: INotebookCell[]) {}
  readonly changed = new Signal<this, void>(this);
  /** As what all of them went live last. */
  deployed: IDeployed | null = null;

  set(...sources: string[]): void {
    this.cells = sources.map((source, n) => ({
      id: `c${n}`,
      source,
      isRunning: false,
      reports: [],
      deployed: this.deployed
    }));
    this.changed.emit();
  }
}

const view = (more: Partial<AppView> = {}) =>
  ({ id: 'shop', version: 1, code_hash: 'x', state: 'running', target: 'running', ...more }) as AppView;

describe('a notebook', () => {
  /** What the service answers, by path. */
  let answers: Map<string, unknown>;
  let server: IServer;
  let apps: AppsModel;
  let known: Known;
  let cells: Cells;
  let model: NotebookModel;
  const has = (version: number, codes: CellCode[]) => {
    answers.set('/api/apps', [view({ version })]);
    answers.set(`/api/apps/shop/versions/${version}/cells`, codes);
    answers.set('/api/apps/shop/errors', []);
    answers.set('/api/metrics', []);
  };
  const until = (is: string, cell = 'c0') =>
    vi.waitFor(() => expect(model.state(cell)?.compared.is).toBe(is), { interval: 10 });

  beforeEach(async () => {
    answers = new Map();
    server = await serve((path, _, response) =>
      answers.has(path)
        ? json(response, answers.get(path))
        : json(response, { message: 'There is none.', code: 'not_found' }, 404)
    );
    // Nobody looks at a page that is not there: the model is refreshed by hand.
    vi.stubGlobal('document', {
      visibilityState: 'hidden',
      cookie: '',
      addEventListener() {},
      removeEventListener() {}
    });
    apps = new AppsModel(server.client);
    known = new Known(apps);
    cells = new Cells([]);
    model = new NotebookModel(cells, apps, known);
  });

  afterEach(async () => {
    model.dispose();
    known.dispose();
    await server.close();
    vi.unstubAllGlobals();
  });

  it('says nothing of cells that have nothing to do with an app, and asks nothing', async () => {
    cells.set('x = 1');
    await new Promise(resolve => model.changed.connect(resolve));
    expect(model.state('c0')).toBeNull();
    expect(server.asked).toEqual([]);
  });

  it('tells as soon as the code is another than what is live', async () => {
    has(1, [{ path: 'main.py', line: 1, text: APP }]);
    cells.set(`%%deploy shop\n${APP}\n`);
    await apps.refresh();
    await until('same');
    cells.set(`%%deploy shop\n${APP}  # new\n`);
    await until('changed');
    has(2, [{ path: 'main.py', line: 1, text: `${APP}  # new` }]);
    await apps.refresh();
    await until('same');
    expect(model.state('c0')?.entry?.view.version).toBe(2);
  });

  it('tells as soon as the arguments are others than those of the live version', async () => {
    has(1, [{ path: 'main.py', line: 1, text: APP }]);
    cells.deployed = { app: 'shop', version: 1, arguments: crc32('--env MODE=fast') };
    cells.set(`%%deploy  --env   MODE=fast shop\n${APP}`);
    await apps.refresh();
    await until('same');
    cells.set(`%%deploy shop --env MODE=slow\n${APP}`);
    await until('changed');
    // Nobody knows with which ones another version went live.
    has(2, [{ path: 'main.py', line: 1, text: APP }]);
    await apps.refresh();
    await until('same');
  });

  it('tells of other arguments at %deploy, too', async () => {
    has(1, [{ path: 'main.py', line: 1, text: APP }]);
    cells.deployed = { app: 'shop', version: 1, arguments: crc32('') };
    cells.set(`#| deploy: shop\n${APP}`, '%deploy shop --message "the same"');
    await apps.refresh();
    await until('same', 'c1');
    cells.set(`#| deploy: shop\n${APP}`, '%deploy shop --db-branch try-it');
    await until('changed', 'c1');
    await until('same', 'c0');
  });

  it('tells at %deploy how the marked cells are', async () => {
    has(1, [{ path: 'main.py', line: 1, text: APP }]);
    cells.set(`#| deploy: shop\n${APP}`, '%deploy shop');
    await apps.refresh();
    await until('same', 'c1');
    cells.set(`#| deploy: shop\n${APP}`, '%deploy shop', '#| deploy: shop\nmore = 1');
    await until('changed', 'c1');
  });

  it('knows of no app before it knows of any', async () => {
    cells.set(`%%deploy shop\n${APP}`);
    await until('unknown');
    expect(model.state('c0')?.isKnown).toBe(false);
    answers.set('/api/apps', []);
    await apps.refresh();
    await until('none');
  });
});
