/** What may stand on a magic's line, and what it means: taken from the magics' own help, see `labextension/magics.py`. */
import { splitWords } from './cell';
import help from './magics.json';

interface IOption {
  readonly takesValue: boolean;
  /** The option with what follows it: `--env K=V`. */
  readonly term: string;
  readonly about: string;
}

interface IMagic {
  readonly usage: string;
  readonly about: string;
  /** Whether an app's name comes first. */
  readonly takesName: boolean;
  readonly options: Readonly<Record<string, IOption>>;
}

const MAGICS = help as Readonly<Record<string, IMagic>>;

/** A word of a magic's line. */
interface IPlace {
  readonly name: string;
  readonly magic: IMagic;
  /** What the word is. */
  readonly is: 'magic' | 'app' | 'option' | 'value' | 'other';
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Whether no word was begun yet. */
  readonly isNew: boolean;
  /** The options that stand on the line already. */
  readonly given: ReadonlySet<string>;
}

export interface ICompletion {
  readonly text: string;
  readonly kind: 'option' | 'app' | 'magic';
  readonly about: string;
}

export interface IHelp {
  readonly start: number;
  readonly end: number;
  /** In the type of code. */
  readonly term: string;
  readonly about: string;
  /** The app, where one is meant. */
  readonly app: string | null;
}

/** Whether a line is that of one of our magics. */
export function isMagicLine(line: string): boolean {
  return nameOn(line) !== null;
}

/** What may stand at this place of a line, as far as it is known here; null where it is no line of a magic. */
export function complete(
  line: string,
  column: number,
  apps: ReadonlyArray<{ name: string; about: string }>
): { start: number; end: number; items: ICompletion[] } | null {
  const before = line.slice(0, column);
  const place = placeAt(before, column);
  if (place === null) {
    return /^\s*%{1,2}\w*$/.test(before) ? completeMagic(before) : null;
  }
  const items: ICompletion[] = [];
  if (place.is === 'app') {
    items.push(...apps.map(app => ({ text: app.name, kind: 'app' as const, about: app.about })));
  } else if (place.is !== 'value' && place.is !== 'magic' && (place.isNew || place.text.startsWith('-'))) {
    for (const [text, option] of Object.entries(place.magic.options)) {
      if (!place.given.has(text) || place.text === text) {
        items.push({ text, kind: 'option', about: `${option.term}\n\n${option.about}` });
      }
    }
  }
  return {
    start: place.start,
    end: column,
    items: items.filter(item => item.text.startsWith(place.text))
  };
}

/** What the word at this place of a line means; null where there is nothing to say. */
export function helpAt(line: string, column: number): IHelp | null {
  const place = placeAt(line, column);
  if (place === null || place.isNew) {
    return null;
  }
  const { magic, start, end } = place;
  switch (place.is) {
    case 'magic':
      return { start, end, term: magic.usage, about: magic.about, app: null };
    case 'app':
      return { start, end, term: place.text, about: '', app: place.text };
    case 'option':
    case 'value': {
      const option = magic.options[optionBefore(line, place)];
      return option ? { start, end, term: option.term, about: option.about, app: null } : null;
    }
    case 'other':
      return null;
  }
}

/** The same, or where nothing is to be said about the word, what the magic takes. */
export function helpOnLine(line: string, column: number): IHelp | null {
  const found = helpAt(line, column);
  const name = nameOn(line);
  if (found || name === null) {
    return found;
  }
  const start = line.indexOf('%');
  return { start, end: start + name.length, term: MAGICS[name].usage, about: MAGICS[name].about, app: null };
}

function completeMagic(before: string): { start: number; end: number; items: ICompletion[] } {
  const start = before.indexOf('%');
  const typed = before.slice(start);
  // Only where two characters tell that it is one of ours: others have magics, too.
  const items = typed.replace(/%/g, '').length < 2 ? [] : Object.entries(MAGICS);
  return {
    start,
    end: before.length,
    items: items
      .filter(([name]) => name.startsWith(typed))
      .map(([text, magic]) => ({ text, kind: 'magic', about: `${magic.usage}\n\n${magic.about}` }))
  };
}

function nameOn(line: string): string | null {
  const name = /^\s*(%{1,2}\w+)(?=\s|$)/.exec(line)?.[1];
  return name !== undefined && Object.hasOwn(MAGICS, name) ? name : null;
}

function placeAt(line: string, column: number): IPlace | null {
  const name = nameOn(line);
  if (name === null || column < line.indexOf('%')) {
    return null;
  }
  const magic = MAGICS[name];
  const words = splitWords(line);
  const index = words.findIndex(word => word.start <= column && column <= word.end);
  const given = new Set(words.map(word => word.text).filter(text => text.startsWith('--')));
  const at = index < 0 ? words.filter(word => word.end < column).length : index;
  const word = words[index] ?? { text: '', start: column, end: column };
  const before = words.slice(1, at);
  const isValue = takesValue(magic, before.at(-1)?.text);
  const isFirst = !before.some(
    (each, n) => !each.text.startsWith('-') && !takesValue(magic, before[n - 1]?.text)
  );
  return {
    name,
    magic,
    is: kindOf(),
    text: word.text,
    start: word.start,
    end: word.end,
    isNew: index < 0,
    given
  };

  function kindOf(): IPlace['is'] {
    if (at === 0) {
      return 'magic';
    }
    if (isValue) {
      return 'value';
    }
    if (word.text.startsWith('-')) {
      return 'option';
    }
    return magic.takesName && isFirst ? 'app' : 'other';
  }
}

function takesValue(magic: IMagic, option: string | undefined): boolean {
  return option !== undefined && Boolean(magic.options[option]?.takesValue);
}

function optionBefore(line: string, place: IPlace): string {
  if (place.is === 'option') {
    return place.text.split('=')[0];
  }
  return splitWords(line.slice(0, place.start)).at(-1)?.text ?? '';
}
