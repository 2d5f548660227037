import type { AppView, CellCode, Diagnostic, ErrorView } from '../api/types';
import { crc32, type ICellCode } from './cell';

/** The media type of what a deploy leaves in the outputs of its cell. */
export const REPORT_TYPE = 'application/vnd.gofastapi.deploy+json';

/** How a deploy from this notebook ended, as its cell's output keeps it. */
export interface IReport {
  readonly app: string;
  readonly ending: string;
  readonly version: number | null;
  readonly cells: ReadonlyArray<{ path: string; line: number; crc32: number }>;
  readonly diagnostics: ReadonlyArray<Diagnostic>;
}

/** As which version a cell went live last, and the CRC-32 of the arguments it had. */
export interface IDeployed {
  readonly app: string;
  readonly version: number;
  readonly arguments: number;
}

/** Something that is wrong at a line of a cell. */
export interface IFinding {
  readonly key: string;
  /** A deploy's finding, an app that does not run, or an error while it ran. */
  readonly kind: 'deploy' | 'state' | 'error';
  readonly severity: 'error' | 'warning';
  readonly app: string;
  readonly message: string;
  readonly hint: string | null;
  /** Of the cell, 1-based. */
  readonly line: number;
  readonly endLine: number;
  /** In characters, 0-based; null where all of the line is meant. */
  readonly column: number | null;
  readonly endColumn: number | null;
  /** The error it is, where it is one. */
  readonly error: ErrorView | null;
}

/** A piece of code that findings are about: where it begins in its file, and whether a cell is still that. */
interface IPart {
  readonly path: string;
  readonly line: number;
  readonly is: (cell: ICellCode) => boolean;
}

/** What is known of an app and of its deploys from this notebook. */
export interface IKnown {
  readonly view: AppView | undefined;
  /** Of the live version. */
  readonly codes: ReadonlyArray<CellCode> | undefined;
  readonly errors: ReadonlyArray<ErrorView>;
  readonly reports: ReadonlyArray<IReport>;
}

/** How the code of a cell and what is live compare. */
export type Compared =
  | { is: 'unknown' }
  | { is: 'none' }
  | { is: 'same' }
  | { is: 'changed' }
  | { is: 'elsewhere'; label: string };

/** Compare a cell with the live version. `id` is the cell's own; `taken` tells of other cells of this notebook. */
export function compare(cell: ICellCode, id: string, known: IKnown, has: (id: string) => boolean): Compared {
  if (known.view === undefined || known.view.version === null) {
    return { is: 'none' };
  }
  if (known.codes === undefined || cell.kind === 'line') {
    return { is: 'unknown' };
  }
  const same = known.codes.filter(code => isAt(cell, code, known.codes!));
  if (same.some(code => code.text === cell.body)) {
    return { is: 'same' };
  }
  // Another cell that is still there made what is live.
  const other = same.find(code => code.cell?.cell_id && code.cell.cell_id !== id && has(code.cell.cell_id));
  const own = same.some(code => code.cell?.cell_id === id);
  return cell.kind === 'deploy' && other?.cell && !own
    ? { is: 'elsewhere', label: other.cell.label }
    : { is: 'changed' };
}

/** Whether the cell made the live version with other arguments than it has now. */
export function isOtherwise(cell: ICellCode, deployed: IDeployed | null, view: AppView | undefined): boolean {
  return (
    deployed !== null &&
    deployed.app === cell.app &&
    deployed.version === view?.version &&
    deployed.arguments !== crc32(cell.arguments)
  );
}

/** What is wrong in a cell, worst first, then by line. Nothing that its code, or the app, has left behind. */
export function findingsOf(cell: ICellCode, known: IKnown): IFinding[] {
  const found = new Map<string, IFinding>();
  const add = (
    diagnostic: Diagnostic,
    parts: IPart[],
    kind: IFinding['kind'],
    error: ErrorView | null = null
  ) => {
    const finding = place(diagnostic, parts, cell, kind, error);
    if (finding && !found.has(finding.key)) {
      found.set(finding.key, finding);
    }
  };
  for (const report of known.reports) {
    if (!isMended(report, known.view)) {
      const parts = report.cells.map(code => ({ ...code, is: isReported(code, report) }));
      report.diagnostics.forEach(diagnostic => add(diagnostic, parts, 'deploy'));
    }
  }
  const { view, codes } = known;
  if (view?.version != null && codes) {
    const parts = codes.map(code => ({
      ...code,
      is: (each: ICellCode) => isAt(each, code, codes) && each.body === code.text
    }));
    if (view.state === 'failed' || view.state === 'restarting') {
      view.diagnostics?.forEach(diagnostic => add(diagnostic, parts, 'state'));
    }
    for (const error of known.errors) {
      if (error.version === view.version && error.type === 'server' && error.diagnostic) {
        add(error.diagnostic, parts, 'error', error);
      }
    }
  }
  const rank = (each: IFinding) => (each.severity === 'error' ? 0 : 1);
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || a.line - b.line);
}

/** The last deploy of this very code, where it failed and nothing came after it. */
export function failureOf(cell: ICellCode, report: IReport | undefined, known: IKnown): string | null {
  if (report?.ending !== 'failed' || report.app !== cell.app || isMended(report, known.view)) {
    return null;
  }
  const [first] = report.diagnostics.filter(each => each.severity !== 'warning');
  const about = cell.kind === 'line' || report.cells.some(code => isReported(code, report)(cell));
  return first && about ? first.message : null;
}

/** Whether a later version has gone live since. */
function isMended(report: IReport, view: AppView | undefined): boolean {
  const { version } = report;
  return report.ending === 'failed' && version !== null && view?.version != null && view.version > version;
}

/** Whether a cell stands where a piece of a version's code does. */
function isAt(cell: ICellCode, code: CellCode, codes: ReadonlyArray<CellCode>): boolean {
  return code.path === (cell.kind === 'deploy' ? codes[0]?.path : cell.path);
}

function isReported(code: { path: string; crc32: number }, report: IReport): (cell: ICellCode) => boolean {
  return cell =>
    cell.app === report.app &&
    cell.kind !== 'line' &&
    cell.path === code.path &&
    crc32(cell.body) === code.crc32;
}

function place(
  diagnostic: Diagnostic,
  parts: IPart[],
  cell: ICellCode,
  kind: IFinding['kind'],
  error: ErrorView | null
): IFinding | null {
  const { file, line } = diagnostic;
  const before = parts.filter(part => part.path === file && (line == null || part.line <= line));
  const part = line == null ? before[0] : before.at(-1);
  if (!part?.is(cell)) {
    return null;
  }
  // What is about all of the code stands where the app is named.
  const at = line == null ? cell.nameLine : cell.bodyLine + line - part.line;
  const lines = line == null || diagnostic.end_line == null ? 0 : Math.max(diagnostic.end_line - line, 0);
  return {
    key: [at, diagnostic.column ?? '', diagnostic.message].join(':'),
    kind,
    severity: diagnostic.severity === 'warning' ? 'warning' : 'error',
    app: cell.app,
    message: diagnostic.message,
    hint: diagnostic.hint ?? null,
    line: at,
    endLine: at + lines,
    column: line == null ? null : (diagnostic.column ?? null),
    endColumn: line == null ? null : (diagnostic.end_column ?? null),
    error
  };
}

/** A report, where what stands in an output is one. Anybody may have written the notebook. */
export function asReport(value: unknown): IReport | null {
  const report = value as Partial<IReport> | null;
  if (typeof report !== 'object' || report === null || typeof report.app !== 'string') {
    return null;
  }
  const { app, ending, version, cells, diagnostics } = report;
  if (!Array.isArray(cells) || !Array.isArray(diagnostics)) {
    return null;
  }
  return {
    app,
    ending: typeof ending === 'string' ? ending : '',
    version: typeof version === 'number' ? version : null,
    cells: cells.filter(
      each =>
        typeof each?.path === 'string' && typeof each.line === 'number' && typeof each.crc32 === 'number'
    ),
    diagnostics: diagnostics.filter(each => typeof each?.message === 'string')
  };
}
