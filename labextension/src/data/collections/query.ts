import type { TranslationBundle } from '../../common/translation';
import { messageOf } from '../../api/errors';

/** What is asked of a collection, as it stands in the fields of the query bar. */
export interface IQuery {
  /** MongoDB's filter, as JSON. */
  filter: string;
  /** Names of fields with commas between them; `-` before a name means downwards. */
  sort: string;
  /** Names of fields to show; `-` before all of them means all but these. */
  fields: string;
}

export const EVERYTHING: Readonly<IQuery> = { filter: '', sort: '', fields: '' };

/** The same, as the API takes it: JSON texts. */
export interface IAsked {
  filter?: string;
  sort?: string;
  projection?: string;
}

/** Which field of the bar is wrong, and why. */
export class QueryError extends Error {
  constructor(
    readonly field: keyof IQuery,
    message: string
  ) {
    super(message);
    this.name = 'QueryError';
  }
}

/** Read the query bar. Throws a `QueryError`. */
export function asked(query: IQuery, trans: TranslationBundle): IAsked {
  return {
    filter: filterText(query.filter, trans),
    sort: namesText(query.sort, [1, -1]),
    projection: namesText(query.fields, [1, 0])
  };
}

/** The part of an address that asks it. */
export function search(values: Record<string, string | null | undefined>): string {
  const given = Object.entries(values).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
}

function filterText(text: string, trans: TranslationBundle): string | undefined {
  const filter = text.trim();
  if (!filter) {
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(filter);
  } catch (error) {
    throw new QueryError(
      'filter',
      trans.__(
        'The filter is not JSON. Names and texts stand in double quotes, as in {"done": false, "name": "Ann"}. (%1)',
        messageOf(error)
      )
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new QueryError('filter', trans.__('The filter is to be an object, as in {"done": false}.'));
  }
  return filter;
}

function namesText(text: string, [up, down]: [number, number]): string | undefined {
  const names = text
    .split(',')
    .map(name => name.trim())
    .filter(Boolean);
  const pairs = names.map(name => (name.startsWith('-') ? [name.slice(1).trim(), down] : [name, up]));
  // Not as an object: names that are numbers would come first.
  return pairs.length > 0
    ? `{${pairs.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`
    : undefined;
}
