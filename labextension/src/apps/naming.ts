/** Names of apps, as the service takes them: a label of a domain name. */

const MOST = 40;
const RESERVED = new Set(['admin', 'gofastapi', 'hub', 'localhost', 'platform', 'www']);

export type NameProblem = 'empty' | 'letters' | 'long' | 'reserved' | 'taken';

/** What is wrong with a name, as a key for words; null where nothing is. */
export function problemOf(name: string, taken: ReadonlySet<string>): NameProblem | null {
  if (name === '') {
    return 'empty';
  }
  if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name)) {
    return 'letters';
  }
  if (name.length > MOST) {
    return 'long';
  }
  if (RESERVED.has(name)) {
    return 'reserved';
  }
  return taken.has(name) ? 'taken' : null;
}

/** The nearest name an app can have; empty where nothing of the text can be used. */
export function suggestName(text: string): string {
  const label = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[0-9-]+/, '')
    .slice(0, MOST)
    .replace(/-+$/, '');
  return RESERVED.has(label) ? `my-${label}` : label;
}

/** A free name like `wanted`: itself, or with the first number that makes it free. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) {
    name = `${wanted.slice(0, MOST - 4)}-${number}`;
  }
  return name;
}
