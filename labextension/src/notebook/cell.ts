/** What a code cell has to do with an app: read from its text alone, as the magics read it. */
import help from './magics.json';

export type CellKind =
  /** `%%deploy NAME` on top: the cell is the app. */
  | 'deploy'
  /** `%%deployfile NAME PATH` on top: a file of the app's draft. */
  | 'file'
  /** `#| deploy: NAME` on top: a part of the app. */
  | 'marked'
  /** `%deploy NAME`: takes the marked cells, or the draft, live. */
  | 'line';

/** A cell that belongs to an app. */
export interface ICellCode {
  readonly kind: CellKind;
  readonly app: string;
  /** The file of the app that its code is, or is a part of. */
  readonly path: string;
  /** The code that goes into the app, without blank lines around it; empty for `line`. */
  readonly body: string;
  /** Line of the cell (1-based) that `body` begins at. */
  readonly bodyLine: number;
  /** Line of the cell (1-based) that names the app. */
  readonly nameLine: number;
  /** What goes into the version from behind the name, however it is written; empty where nothing does. */
  readonly arguments: string;
}

export const MAIN = 'main.py';
const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;
const MARKER = /^#\|\s*([A-Za-z][\w-]*)\s*:(.*)$/;
const BLANK = ' \t\r\n\f\v';
const TAKES_VALUE = new Set(
  [help['%%deploy'], help['%deploy'], help['%%deployfile']].flatMap(({ options }) =>
    Object.entries(options).flatMap(([option, { takesValue }]) => (takesValue ? [option] : []))
  )
);

/** What a cell is to an app; null where it has nothing to do with one. */
export function readCell(source: string): ICellCode | null {
  // Most cells are told by a look.
  if (!source.includes('deploy')) {
    return null;
  }
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  return readMagic(lines) ?? readMarks(lines);
}

function readMagic(lines: string[]): ICellCode | null {
  for (const [index, line] of lines.entries()) {
    const magic = /^\s*(%%deploy|%%deployfile|%deploy)(?=\s|$)(.*)$/.exec(line);
    if (magic) {
      const [, escape, rest] = magic;
      const { words, options } = parse(rest);
      const [app = '', path = MAIN] = words;
      if (!NAME.test(app)) {
        return null;
      }
      const nameLine = index + 1;
      const named = { app, nameLine, arguments: argumentsOf(options) };
      if (escape === '%deploy') {
        return { kind: 'line', path: '', body: '', bodyLine: nameLine, ...named };
      }
      if (escape === '%%deployfile') {
        return words.length < 2 ? null : { kind: 'file', path, ...named, ...bodyOf(lines, nameLine) };
      }
      return { kind: 'deploy', path: MAIN, ...named, ...bodyOf(lines, nameLine) };
    }
    // `%%time` may stand above; so may comments above `%deploy`.
    if (line.trim() !== '' && !/^%%\w|^\s*#(?!\|)/.test(line)) {
      return null;
    }
  }
  return null;
}

function readMarks(lines: string[]): ICellCode | null {
  const found = new Map<string, string>();
  let last = 0;
  let nameLine = 1;
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '' && !line.startsWith('#')) {
      break;
    }
    const marker = MARKER.exec(line.trimEnd());
    if (marker && (marker[1] === 'deploy' || marker[1] === 'file') && !found.has(marker[1])) {
      found.set(marker[1], unquoted(marker[2]));
      last = index + 1;
      nameLine = marker[1] === 'deploy' ? index + 1 : nameLine;
    }
  }
  const app = found.get('deploy') ?? '';
  if (!NAME.test(app)) {
    return null;
  }
  const path = found.get('file') || MAIN;
  return { kind: 'marked', app, path, nameLine, arguments: '', ...bodyOf(lines, last) };
}

function bodyOf(lines: string[], above: number): { body: string; bodyLine: number } {
  const text = lines.slice(above).join('\n');
  let start = 0;
  let end = text.length;
  while (start < end && BLANK.includes(text[start])) {
    start += 1;
  }
  while (end > start && BLANK.includes(text[end - 1])) {
    end -= 1;
  }
  return { body: text.slice(start, end), bodyLine: above + 1 + text.slice(0, start).split('\n').length - 1 };
}

/** What stands behind a magic: the words that are neither options nor their values, and each option's values. */
function parse(rest: string): { words: string[]; options: Map<string, string[]> } {
  const words: string[] = [];
  const options = new Map<string, string[]>();
  const parts = splitWords(rest).map(word => word.text);
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (!part.startsWith('-')) {
      words.push(part);
      continue;
    }
    const [, name, , value = ''] = /^([^=]*)(=(.*))?$/s.exec(part)!;
    const takesNext = name === part && TAKES_VALUE.has(name);
    options.set(name, [...(options.get(name) ?? []), takesNext ? (parts[(index += 1)] ?? '') : value]);
  }
  return { words, options };
}

/** The options that make another version, in one order and without what says nothing. */
function argumentsOf(options: Map<string, string[]>): string {
  const of = (name: string) => (options.get(name) ?? []).map(unescaped);
  const env = new Map(of('--env').map(pair => [pair.split('=')[0], pair]));
  const branch = of('--db-branch').at(-1);
  return [
    ...of('--with').flatMap(names => names.split(',').map(name => `--with ${name}`)),
    ...[...env.values()].map(pair => `--env ${pair}`),
    ...of('--file').map(path => `--file ${path}`),
    ...(branch === undefined || branch === 'main' ? [] : [`--db-branch ${branch}`])
  ]
    .filter((each, index, all) => all.indexOf(each) === index)
    .sort()
    .join('\n');
}

/** A word without the quotation marks in it. */
function unescaped(word: string): string {
  return word.replace(/"([^"]*)"|'([^']*)'|\\(.)/gs, '$1$2$3');
}

/** The words of a line and where they begin; quotation marks keep blanks together, as in a shell. */
export function splitWords(line: string): { text: string; start: number; end: number }[] {
  return [...line.matchAll(/(?:"[^"]*"?|'[^']*'?|\\.|[^\s"'\\])+/g)].map(match => ({
    text: match[0].replace(/^(["'])(.*)\1$/, '$2'),
    start: match.index,
    end: match.index + match[0].length
  }));
}

function unquoted(value: string): string {
  const text = value.trim();
  return /^(["']).*\1$/.test(text) && text.length > 1 ? text.slice(1, -1).trim() : text;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

/** CRC-32 of a text in UTF-8, as zlib has it: what the kernel knows code by. */
export function crc32(text: string): number {
  let value = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}
