import type { TranslationBundle } from '../../common/translation';
import { isPlainObject, isWrapper, Json, JsonObject, relaxed } from './ejson';

/** A value in one line of a table. */
export interface ICell {
  text: string;
  /** What it is, for its looks. */
  kind: 'text' | 'number' | 'date' | 'id' | 'word' | 'nested';
}

const LONGEST_TEXT = 120;
const MOST_COLUMNS = 24;

/** The top-level fields of some documents, `_id` first, each once, in the order they come up in. */
export function columns(documents: ReadonlyArray<JsonObject>): { names: string[]; left: number } {
  const names = new Set(['_id', ...documents.flatMap(document => Object.keys(document))]);
  return { names: [...names].slice(0, MOST_COLUMNS), left: Math.max(0, names.size - MOST_COLUMNS) };
}

/** A canonical value as people read it. */
export function cell(value: Json, trans: TranslationBundle): ICell {
  const plain = relaxed(value);
  if (typeof plain === 'string') {
    return { text: cut(plain), kind: 'text' };
  }
  if (typeof plain === 'number') {
    return { text: String(plain), kind: 'number' };
  }
  if (plain === null || typeof plain === 'boolean') {
    return { text: String(plain), kind: 'word' };
  }
  if (Array.isArray(plain)) {
    return { text: trans._n('%1 item', '%1 items', plain.length), kind: 'nested' };
  }
  return isWrapper(plain) ? wrapped(plain, trans) : { text: fields(plain, trans), kind: 'nested' };
}

/** What a document is called: its `_id`, so that another one reads differently, and never nothing at all. */
export function nameOf(id: Json, trans: TranslationBundle): string {
  const { text, kind } = cell(id, trans);
  const saysLess = kind === 'nested' || text.trim() === '' || ofBytes(id);
  return saysLess ? cut(JSON.stringify(relaxed(id))) : text;
}

/** Bytes that are no UUID: how many they are says little. */
function ofBytes(value: Json): boolean {
  const { $binary } = isPlainObject(value) ? value : {};
  return isPlainObject($binary) && $binary.subType !== '04';
}

function wrapped(value: JsonObject, trans: TranslationBundle): ICell {
  const [[name, inner]] = Object.entries(value);
  switch (name) {
    case '$oid':
    case '$uuid':
      return { text: String(inner), kind: 'id' };
    case '$date':
      return typeof inner === 'string'
        ? { text: inner.replace('T', ' ').replace(/Z$/, ' UTC'), kind: 'date' }
        : { text: trans.__('a date outside of the calendar'), kind: 'date' };
    case '$numberInt':
    case '$numberLong':
    case '$numberDouble':
    case '$numberDecimal':
      return { text: String(inner), kind: 'number' };
    case '$regularExpression':
      return isPlainObject(inner)
        ? { text: cut(`/${String(inner.pattern)}/${String(inner.options)}`), kind: 'word' }
        : { text: name, kind: 'word' };
    case '$binary':
      return { text: binary(inner, trans), kind: 'word' };
    case '$timestamp':
      return { text: cut(JSON.stringify(inner)), kind: 'word' };
    default:
      return { text: cut(name.slice(1)), kind: 'word' };
  }
}

/** A UUID in full; of anything else, how much it is. */
function binary(value: Json, trans: TranslationBundle): string {
  const { base64, subType } = isPlainObject(value) ? value : {};
  const text = typeof base64 === 'string' ? base64 : '';
  if (subType === '04') {
    try {
      const hex = Array.from(atob(text), each => each.charCodeAt(0).toString(16).padStart(2, '0')).join('');
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    } catch {
      // then it is bytes like any others
    }
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return trans._n('%1 byte', '%1 bytes', Math.max(0, (text.length / 4) * 3 - padding));
}

function fields(value: JsonObject, trans: TranslationBundle): string {
  const names = Object.keys(value);
  return names.length === 0 ? trans.__('no fields') : cut(`{ ${names.join(', ')} }`);
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
