import type { IndexCreate, IndexView } from '../../api/types';

/** Fields of an index as the person writes them: `age, -name, title:text`. */
export function keysOf(text: string): IndexCreate['keys'] {
  const names = text
    .split(',')
    .map(name => name.trim())
    .filter(Boolean);
  const pairs = names.map((name): [string, IndexCreate['keys'][string]] => {
    const kind = /^(.+):(text|2dsphere|hashed)$/.exec(name);
    if (kind) {
      return [kind[1], kind[2] as 'text' | '2dsphere' | 'hashed'];
    }
    return name.startsWith('-') ? [name.slice(1).trim(), -1] : [name, 1];
  });
  return Object.fromEntries(pairs);
}

/** The same, of an index there is. */
export function keysText(index: IndexView): string {
  return index.keys
    .map(([name, kind]) => (kind === 1 ? name : kind === -1 ? `-${name}` : `${name}:${kind}`))
    .join(', ');
}
