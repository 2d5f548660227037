import { describe, expect, it } from 'vitest';

import type { AppView, CellCode, Diagnostic, ErrorView } from '../api/types';
import { crc32, readCell } from './cell';
import { asReport, compare, failureOf, findingsOf, type IKnown, type IReport } from './findings';
import { fixOf } from './fix';

const BODY = 'app = FastAPI()\nprice = total + 1';
const CELL = readCell(`%%deploy shop\n\n${BODY}\n`)!;
const PARTS = [
  { path: 'main.py', line: 1, label: 'In[1]', crc32: crc32('app = FastAPI()') },
  { path: 'main.py', line: 4, label: 'In[2]', crc32: crc32('price = total + 1') }
];

function diagnostic(more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    severity: 'error',
    code: 'x',
    message: 'wrong',
    file: 'main.py',
    line: 2,
    column: 8,
    end_line: 2,
    end_column: 13,
    ...more
  };
}

function report(more: Partial<IReport> = {}): IReport {
  const cells = [{ path: 'main.py', line: 1, crc32: crc32(BODY) }];
  return { app: 'shop', ending: 'failed', version: null, cells, diagnostics: [diagnostic()], ...more };
}

function known(more: Partial<IKnown> = {}): IKnown {
  return { view: undefined, codes: undefined, errors: [], reports: [], ...more };
}

const view = (more: Partial<AppView> = {}) =>
  ({ id: 'shop', version: 2, state: 'running', ...more }) as AppView;
const code = (text: string, more: Partial<CellCode> = {}): CellCode => ({
  path: 'main.py',
  line: 1,
  text,
  ...more
});
const error = (more: Partial<ErrorView> = {}) =>
  ({ version: 2, type: 'server', count: 3, diagnostic: diagnostic(), ...more }) as ErrorView;

describe('what is live', () => {
  const has = () => true;

  it('is compared with the code of the cell', () => {
    expect(compare(CELL, 'a', known(), has)).toEqual({ is: 'none' });
    expect(compare(CELL, 'a', known({ view: view({ version: null }) }), has)).toEqual({ is: 'none' });
    expect(compare(CELL, 'a', known({ view: view() }), has)).toEqual({ is: 'unknown' });
    expect(compare(CELL, 'a', known({ view: view(), codes: [code(BODY)] }), has)).toEqual({ is: 'same' });
    expect(compare(CELL, 'a', known({ view: view(), codes: [code('x')] }), has)).toEqual({ is: 'changed' });
  });

  it('may have come from another cell that is still there', () => {
    const cell = { label: 'In[7]', cell_id: 'b', line_offset: 1, first_line: 1 };
    const of = known({ view: view(), codes: [code('x', { cell })] });
    expect(compare(CELL, 'a', of, has)).toEqual({ is: 'elsewhere', label: 'In[7]' });
    expect(compare(CELL, 'a', of, () => false)).toEqual({ is: 'changed' });
    expect(compare(CELL, 'b', of, has)).toEqual({ is: 'changed' });
  });

  it('is a file of another name, where somebody deployed it from there', () => {
    const of = known({ view: view(), codes: [code(BODY, { path: 'app/api.py' })] });
    expect(compare(CELL, 'a', of, has)).toEqual({ is: 'same' });
  });

  it('is looked up by the file, for cells that are marked', () => {
    const users = readCell('#| deploy: shop\n#| file: users.py\nx = 1')!;
    const codes = [code('x = 1'), code('x = 2', { path: 'users.py' })];
    expect(compare(users, 'a', known({ view: view(), codes }), has)).toEqual({ is: 'changed' });
    codes.push(code('x = 1', { path: 'users.py', line: 3 }));
    expect(compare(users, 'a', known({ view: view(), codes }), has)).toEqual({ is: 'same' });
  });
});

describe('the findings of a deploy', () => {
  it('stand at their line of the cell', () => {
    const [finding] = findingsOf(CELL, known({ reports: [report()] }));
    expect(finding).toMatchObject({
      line: 4,
      endLine: 4,
      column: 8,
      endColumn: 13,
      kind: 'deploy',
      severity: 'error'
    });
  });

  it('stand where the app is named, if they are about all of it', () => {
    const reports = [report({ diagnostics: [diagnostic({ line: null })] })];
    expect(findingsOf(CELL, known({ reports }))[0]).toMatchObject({ line: 1, column: null });
  });

  it('go away when the code is another', () => {
    const changed = readCell(`%%deploy shop\n${BODY}!`)!;
    expect(findingsOf(changed, known({ reports: [report()] }))).toEqual([]);
  });

  it('go away when a later version is live', () => {
    const reports = [report({ version: 1 })];
    expect(findingsOf(CELL, known({ reports }))).toHaveLength(1);
    expect(findingsOf(CELL, known({ reports, view: view({ version: 2 }) }))).toEqual([]);
  });

  it('stand in the marked cell that the line came from', () => {
    const second = readCell('#| deploy: shop\nprice = total + 1')!;
    const first = readCell('#| deploy: shop\napp = FastAPI()')!;
    const reports = [report({ cells: PARTS, diagnostics: [diagnostic({ line: 4, end_line: 4 })] })];
    expect(findingsOf(second, known({ reports }))[0]).toMatchObject({ line: 2, column: 8 });
    expect(findingsOf(first, known({ reports }))).toEqual([]);
  });

  it('tell why the cell is not live', () => {
    expect(failureOf(CELL, report(), known())).toBe('wrong');
    expect(failureOf(CELL, report({ ending: 'live' }), known())).toBeNull();
    expect(failureOf(CELL, report({ app: 'other' }), known())).toBeNull();
    expect(failureOf(readCell('%%deploy shop\nother')!, report(), known())).toBeNull();
    expect(failureOf(readCell('%deploy shop')!, report(), known())).toBe('wrong');
  });

  it('are read with care, for anybody may have written the notebook', () => {
    for (const bad of [undefined, null, 3, 'x', {}, { app: 1 }, { app: 'x', cells: 1, diagnostics: [] }]) {
      expect(asReport(bad)).toBeNull();
    }
    expect(asReport({ app: 'x', cells: [null, { path: 1 }], diagnostics: [null, {}] })).toEqual({
      app: 'x',
      ending: '',
      version: null,
      cells: [],
      diagnostics: []
    });
  });
});

describe('errors', () => {
  it('stand at their line while the version that has them is live, and the cell is that', () => {
    const of = { view: view(), codes: [code(BODY)] };
    expect(findingsOf(CELL, known({ ...of, errors: [error()] }))[0]).toMatchObject({
      kind: 'error',
      line: 4
    });
    expect(findingsOf(CELL, known({ ...of, errors: [error({ version: 1 })] }))).toEqual([]);
    expect(findingsOf(CELL, known({ ...of, errors: [error({ type: 'client' })] }))).toEqual([]);
    expect(findingsOf(CELL, known({ ...of, codes: [code('x')], errors: [error()] }))).toEqual([]);
  });

  it('that end an app stand there too, once', () => {
    const diagnostics = [diagnostic()];
    const of = known({
      view: view({ state: 'failed', diagnostics }),
      codes: [code(BODY)],
      errors: [error()]
    });
    expect(findingsOf(CELL, of).map(each => each.kind)).toEqual(['state']);
  });

  it('come before warnings', () => {
    const diagnostics = [diagnostic({ severity: 'warning', line: 1 }), diagnostic()];
    const found = findingsOf(CELL, known({ reports: [report({ diagnostics })] }));
    expect(found.map(each => each.severity)).toEqual(['error', 'warning']);
  });
});

describe('a fix', () => {
  const apply = (source: string, hint: string) => {
    const fix = fixOf({ hint }, readCell(source)!, source);
    return fix && source.slice(0, fix.at) + fix.insert + source.slice(fix.at);
  };

  it('takes along what only the notebook has', () => {
    expect(apply('%%deploy shop --open\nx', 'Take it along: --with total')).toBe(
      '%%deploy shop --open --with total\nx'
    );
    expect(apply('%%deploy shop --with a --open\nx', 'Take it along: --with a,b')).toBe(
      '%%deploy shop --with a,b --open\nx'
    );
    expect(apply('%%deploy shop --with a\nx', 'Take it along: --with a')).toBeNull();
  });

  it('adds an import', () => {
    expect(apply('%%deploy shop\n\nx = 1', 'Add: import math as m')).toBe(
      '%%deploy shop\n\nimport math as m\nx = 1'
    );
  });

  it('is left to the person, where it takes a thought', () => {
    expect(apply('%%deploy shop\nx', 'Write the app below this line.')).toBeNull();
    expect(apply('#| deploy: shop\nx', 'Take it along: --with total')).toBeNull();
  });
});
