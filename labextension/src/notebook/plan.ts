import { MAIN, readCell } from './cell';

/** What "Deploy" comes to in a notebook. Indices are those of the cells. */
export type Plan =
  /** Run this cell: it deploys. */
  | { do: 'run'; index: number; save: boolean }
  /** Put `%%deploy` on top of this cell, then run it. */
  | { do: 'name'; index: number }
  /** Deploy the cells that are marked for one of these apps; `after` is the last of them. */
  | { do: 'marked'; apps: string[]; after: number }
  /** One of these cells; the person says which. */
  | { do: 'choose'; indices: number[] }
  | { do: 'nothing' };

export interface IPlanCell {
  readonly isCode: boolean;
  readonly source: string;
}

const MAKES_AN_APP = /\b(FastAPI|Starlette|Litestar|Quart)\s*\(/;
/** It may be called otherwise, or come from a module; the service knows. */
const MAY_MAKE_AN_APP = /(^|[^a-z])app(lication)?([^a-z]|$)|\bimport\s*\*/i;

/** The current cell where it is an app, or can be one; else what the notebook has. */
export function plan(cells: ReadonlyArray<IPlanCell>, active: number): Plan {
  const codes = cells.map(cell => (cell.isCode ? readCell(cell.source) : null));
  const current = codes[active];
  if (current?.kind === 'deploy' || current?.kind === 'line') {
    return { do: 'run', index: active, save: current.kind === 'line' };
  }
  if (current?.kind === 'marked') {
    return planMarked(cells, current.app);
  }
  if (current?.kind === 'file') {
    const main = codes.findIndex(code => code?.kind === 'deploy' && code.app === current.app);
    return main < 0 ? planMarked(cells, current.app) : { do: 'run', index: main, save: false };
  }
  if (makesApp(cells[active])) {
    return { do: 'name', index: active };
  }
  const marked = planMarked(cells);
  if (marked.do !== 'nothing') {
    return marked;
  }
  const deploys = indicesOf(codes, code => code?.kind === 'deploy');
  if (deploys.length > 0) {
    return deploys.length === 1
      ? { do: 'run', index: deploys[0], save: false }
      : { do: 'choose', indices: deploys };
  }
  const apps = indicesOf(cells, cell => makesApp(cell));
  if (apps.length > 0) {
    return apps.length === 1 ? { do: 'name', index: apps[0] } : { do: 'choose', indices: apps };
  }
  return mayMakeApp(cells[active]) ? { do: 'name', index: active } : { do: 'nothing' };
}

/** Deploy the marked cells: those of `app`, or of all apps there are. A cell with `%deploy` for it is what does it. */
export function planMarked(cells: ReadonlyArray<IPlanCell>, app?: string): Plan {
  const codes = cells.map(cell => (cell.isCode ? readCell(cell.source) : null));
  const marked = indicesOf(codes, code => code?.kind === 'marked' && (app === undefined || code.app === app));
  if (marked.length === 0) {
    return { do: 'nothing' };
  }
  const apps = [...new Set(marked.map(index => codes[index]!.app))];
  if (apps.length === 1) {
    const line = codes.findIndex(code => code?.kind === 'line' && code.app === apps[0]);
    if (line >= 0) {
      return { do: 'run', index: line, save: true };
    }
  }
  return { do: 'marked', apps, after: marked.at(-1)! };
}

/** The texts of the cells that are marked for an app. */
export function markedIn(cells: ReadonlyArray<IPlanCell>): string[] {
  return cells.flatMap(({ isCode, source }) =>
    isCode && readCell(source)?.kind === 'marked' ? [source] : []
  );
}

/** The code of the marked cells that is the app's main file; null where they leave that open. */
export function mainOf(cells: ReadonlyArray<IPlanCell>, app: string): string | null {
  const parts = cells.flatMap(({ isCode, source }) => {
    const code = isCode ? readCell(source) : null;
    return code?.kind === 'marked' && code.app === app && code.path === MAIN ? [code.body] : [];
  });
  return parts.length > 0 ? parts.join('\n\n') : null;
}

/** The title of the app in a cell, to name it by. */
export function titleIn(source: string): string {
  return /\b(?:FastAPI|Starlette)\s*\([^)]*?\btitle\s*=\s*(["'])(.*?)\1/s.exec(source)?.[2] ?? '';
}

function makesApp(cell: IPlanCell | undefined): boolean {
  return cell !== undefined && cell.isCode && MAKES_AN_APP.test(cell.source);
}

function mayMakeApp(cell: IPlanCell | undefined): boolean {
  return cell !== undefined && cell.isCode && MAY_MAKE_AN_APP.test(cell.source);
}

function indicesOf<T>(items: ReadonlyArray<T>, is: (item: T) => boolean): number[] {
  return items.flatMap((item, index) => (is(item) ? [index] : []));
}
