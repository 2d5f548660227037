import { describe, expect, it } from 'vitest';

import { mainOf, plan, planMarked, titleIn } from './plan';

const APP = 'from fastapi import FastAPI\napp = FastAPI()';
const cells = (...sources: string[]) =>
  sources.map(source => ({ isCode: !source.startsWith('# Title'), source }));

describe('deploying', () => {
  it('runs the current cell, where it deploys', () => {
    expect(plan(cells('x', `%%deploy shop\n${APP}`), 1)).toEqual({ do: 'run', index: 1, save: false });
    expect(plan(cells('%deploy shop'), 0)).toEqual({ do: 'run', index: 0, save: true });
  });

  it('names the current cell, where it has an app and no name', () => {
    expect(plan(cells('%%deploy other\nx', APP), 1)).toEqual({ do: 'name', index: 1 });
  });

  it('runs the cell of the app that a file is for', () => {
    expect(plan(cells(`%%deploy shop\n${APP}`, '%%deployfile shop a.py\nx'), 1)).toMatchObject({
      do: 'run',
      index: 0
    });
  });

  it('takes the marked cells, from wherever the cursor is', () => {
    const marked = cells('# Title', `#| deploy: shop\n${APP}`, '#| deploy: shop\nx', 'y');
    expect(plan(marked, 0)).toEqual({ do: 'marked', apps: ['shop'], after: 2 });
    expect(plan(marked, 1)).toEqual({ do: 'marked', apps: ['shop'], after: 2 });
    expect(plan([...marked, ...cells('%deploy shop')], 3)).toEqual({ do: 'run', index: 4, save: true });
  });

  it('asks for which app, where cells are marked for several', () => {
    const marked = cells(`#| deploy: a\n${APP}`, `#| deploy: b\n${APP}`, 'x');
    expect(planMarked(marked)).toEqual({ do: 'marked', apps: ['a', 'b'], after: 1 });
    expect(planMarked(marked, 'a')).toEqual({ do: 'marked', apps: ['a'], after: 0 });
    expect(planMarked(marked, 'c')).toEqual({ do: 'nothing' });
  });

  it('finds the app of the notebook, where the current cell is none', () => {
    expect(plan(cells('import pandas', `%%deploy shop\n${APP}`), 0)).toEqual({
      do: 'run',
      index: 1,
      save: false
    });
    expect(plan(cells('import pandas', APP), 0)).toEqual({ do: 'name', index: 1 });
    expect(plan(cells('x', APP, APP), 0)).toEqual({ do: 'choose', indices: [1, 2] });
    expect(plan(cells('x', '%%deploy a\nx', '%%deploy b\nx'), 0)).toEqual({ do: 'choose', indices: [1, 2] });
  });

  it('takes code that may make an app, where there is nothing better, and else nothing', () => {
    for (const source of ['x = make_app()', 'from shop import *', '@app.get("/")\ndef root(): ...']) {
      expect(plan(cells(source), 0)).toEqual({ do: 'name', index: 0 });
    }
    expect(plan(cells('%matplotlib inline\nimport pandas\nrows.append(df.apply(f))'), 0)).toEqual({
      do: 'nothing'
    });
    expect(plan(cells('# Title'), 0)).toEqual({ do: 'nothing' });
    expect(plan(cells(' '), 0)).toEqual({ do: 'nothing' });
  });

  it('knows the main file of marked cells', () => {
    const marked = [
      '#| deploy: a\nx',
      '#| deploy: b\ny',
      '#| deploy: a\n#| file: z.py\nz',
      '#| deploy: a\nw'
    ];
    expect(mainOf(cells(...marked), 'a')).toBe('x\n\nw');
    expect(mainOf(cells(marked[2]), 'a')).toBeNull();
  });

  it('suggests the title of the app', () => {
    expect(titleIn('app = FastAPI(\n  debug=True,\n  title="Tea & more",\n)')).toBe('Tea & more');
    expect(titleIn(APP)).toBe('');
  });
});
