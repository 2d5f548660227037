/**
 * MongoDB Extended JSON, in the two forms the API speaks.
 *
 * Documents come in the canonical form, which tells every type. People see and edit the relaxed one, with plain numbers
 * and readable dates. What they leave as it is goes back canonically, so that no type is lost by looking at it.
 */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** The first key of what stands for one value. */
const WRAPPERS = new Set([
  ...['$oid', '$date', '$numberInt', '$numberLong', '$numberDouble', '$numberDecimal', '$binary', '$uuid'],
  ...['$timestamp', '$regularExpression', '$minKey', '$maxKey', '$symbol', '$undefined', '$dbPointer'],
  ...['$code', '$ref']
]);
/** Dates outside of the years 1 to 9999 have no text form. */
const FIRST_DATE_MS = -62_135_596_800_000;
const LAST_DATE_MS = Date.UTC(10_000, 0) - 1;
const LARGEST_INT32 = 2 ** 31;

export function isPlainObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether an object stands for one value, as `{"$oid": ...}`. */
export function isWrapper(value: Json | undefined): value is JsonObject {
  return isPlainObject(value) && WRAPPERS.has(Object.keys(value)[0] ?? '');
}

/** An object with fields of its own. */
function hasFields(value: Json | undefined): value is JsonObject {
  return isPlainObject(value) && !isWrapper(value);
}

/** The relaxed form of a canonical value. What JavaScript's numbers cannot hold stays wrapped. */
export function relaxed(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(relaxed);
  }
  if (!isPlainObject(value)) {
    return value;
  }
  if (!isWrapper(value)) {
    return mapFields(value, relaxed);
  }
  const [[name, inner]] = Object.entries(value);
  if (name === '$numberInt' || name === '$numberLong' || name === '$numberDouble') {
    const number = Number(inner);
    const isExact = name === '$numberDouble' ? Number.isFinite(number) : Number.isSafeInteger(number);
    return isExact && !Object.is(number, -0) ? number : value;
  }
  if (name === '$date' && isPlainObject(inner)) {
    const time = Number(inner.$numberLong);
    return time >= FIRST_DATE_MS && time <= LAST_DATE_MS ? { $date: isoText(time) } : value;
  }
  return value;
}

/** What was edited in the relaxed form, canonically; what is as it was keeps the types it had. */
export function merged(seen: Json | undefined, edited: Json): Json {
  if (seen !== undefined && isSame(relaxed(seen), edited)) {
    return seen;
  }
  if (typeof edited === 'number') {
    return typedNumber(seen, edited);
  }
  if (Array.isArray(edited)) {
    return mergedArray(Array.isArray(seen) ? seen : [], edited);
  }
  if (hasFields(edited)) {
    const before = hasFields(seen) ? seen : {};
    return mapFields(edited, (value, name) => merged(field(before, name), value));
  }
  return edited;
}

/** Which fields to set and to take away; null where only a whole new document can say it. */
export function changes(seen: JsonObject, after: JsonObject): { set: JsonObject; unset: string[] } | null {
  const found = changesBelow(seen, after, '');
  return found && { set: Object.fromEntries(found.set), unset: found.unset };
}

export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) {
    return true;
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => isSame(each, other[at]));
  }
  if (isPlainObject(one) && isPlainObject(other)) {
    const names = Object.keys(one);
    return (
      names.length === Object.keys(other).length &&
      names.every(name => Object.hasOwn(other, name) && isSame(one[name], other[name]))
    );
  }
  return false;
}

/** As people read and edit it: indented, each value that is wrapped on one line. */
export function pretty(value: Json, indent = ''): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value) && value.length > 0) {
    return `[\n${value.map(each => deeper + pretty(each, deeper)).join(',\n')}\n${indent}]`;
  }
  if (hasFields(value) && Object.keys(value).length > 0) {
    const fields = Object.entries(value).map(
      ([name, each]) => `${deeper}${JSON.stringify(name)}: ${pretty(each, deeper)}`
    );
    return `{\n${fields.join(',\n')}\n${indent}}`;
  }
  return isWrapper(value) ? spaced(value) : JSON.stringify(value);
}

function spaced(value: Json): string {
  return isPlainObject(value)
    ? `{${Object.entries(value)
        .map(([name, each]) => `${JSON.stringify(name)}: ${spaced(each)}`)
        .join(', ')}}`
    : JSON.stringify(value);
}

/** A number as long as its digits say what JavaScript would make of it. Else the number. */
export function roundedNumber(text: string): string | null {
  // Texts are skipped as a whole, so that digits in them do not count.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))) {
      return token;
    }
  }
  return null;
}

type Changes = { set: [string, Json][]; unset: string[] };

function changesBelow(seen: JsonObject, after: JsonObject, path: string): Changes | null {
  const found: Changes = { set: [], unset: [] };
  for (const name of new Set([...Object.keys(seen), ...Object.keys(after)])) {
    const before = field(seen, name);
    const now = field(after, name);
    if (isSame(before, now)) {
      continue;
    }
    if (!isPathPart(name)) {
      return null;
    }
    const full = path ? `${path}.${name}` : name;
    if (now === undefined) {
      found.unset.push(full);
      continue;
    }
    const below = hasFields(before) && hasFields(now) ? changesBelow(before, now, full) : null;
    found.set.push(...(below?.set ?? [[full, now] as [string, Json]]));
    found.unset.push(...(below?.unset ?? []));
  }
  return found.set.length + found.unset.length <= 200 ? found : null;
}

/** Whether a name can stand in a dotted path. */
function isPathPart(name: string): boolean {
  return name !== '' && !/[.\0]/.test(name) && !name.startsWith('$');
}

/** What is as it was finds its place by that; of what is left over, the next one of the same kind. */
function mergedArray(seen: ReadonlyArray<Json>, edited: ReadonlyArray<Json>): Json[] {
  const left = seen.map(value => ({ value, plain: relaxed(value) }));
  const take = (isMeant: (plain: Json) => boolean) => {
    const at = left.findIndex(({ plain }) => isMeant(plain));
    return at < 0 ? undefined : left.splice(at, 1)[0].value;
  };
  const same = edited.map(each => take(plain => isSame(plain, each)));
  return same.map((found, at) =>
    found === undefined
      ? merged(
          take(plain => kindOf(plain) === kindOf(edited[at])),
          edited[at]
        )
      : found
  );
}

function kindOf(plain: Json): string {
  return Array.isArray(plain) ? 'list' : isWrapper(plain) ? 'value' : plain === null ? 'null' : typeof plain;
}

function typedNumber(seen: Json | undefined, number: number): Json {
  const before = isPlainObject(seen) ? Object.keys(seen)[0] : undefined;
  if (before === '$numberDecimal') {
    return { $numberDecimal: String(number) };
  }
  if (!Number.isInteger(number) || before === '$numberDouble' || !Number.isSafeInteger(number)) {
    return { $numberDouble: Number.isInteger(number) ? `${number}.0` : String(number) };
  }
  const isSmall = number >= -LARGEST_INT32 && number < LARGEST_INT32;
  return isSmall && before !== '$numberLong'
    ? { $numberInt: String(number) }
    : { $numberLong: String(number) };
}

function isoText(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

function field(value: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Names as `__proto__` are fields like any other. */
function mapFields(value: JsonObject, change: (value: Json, name: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each, name)]));
}
