import { splitWords, type ICellCode } from './cell';
import type { IFinding } from './findings';

/** A change of a cell's text that does what a finding's hint says. */
export interface IFix {
  /** What is added. */
  readonly adds: string;
  /** Where, in characters of the cell. */
  readonly at: number;
  readonly insert: string;
}

/** The change that a hint asks for, where it can be made for the person; null where it takes a thought. */
export function fixOf(finding: Pick<IFinding, 'hint'>, code: ICellCode, source: string): IFix | null {
  const lines = source.split('\n');
  const line = /^Add: ((?:import|from) .+)$/.exec(finding.hint ?? '')?.[1];
  if (line && code.body !== '') {
    return { adds: line, at: startOf(lines, code.bodyLine), insert: `${line}\n` };
  }
  const names = /(?:^|: )--with ([\w,]+)$/.exec(finding.hint ?? '')?.[1];
  if (!names || code.kind !== 'deploy') {
    return null;
  }
  const magic = lines[code.nameLine - 1].trimEnd();
  const words = splitWords(magic);
  const given = words.findIndex(word => word.text === '--with');
  const start = startOf(lines, code.nameLine);
  // The hint names all that the line needs: what it has by now stays, and only the rest is added.
  const has = given < 0 ? [] : (words[given + 1]?.text.split(',') ?? []);
  const missing = names.split(',').filter(name => !has.includes(name));
  if (missing.length === 0) {
    return null;
  }
  return has.length > 0
    ? { adds: `--with ${names}`, at: start + words[given + 1].end, insert: `,${missing.join(',')}` }
    : { adds: `--with ${names}`, at: start + magic.length, insert: ` --with ${missing.join(',')}` };
}

function startOf(lines: string[], line: number): number {
  return lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
}
