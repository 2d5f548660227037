import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import type { Client } from '../api/client';
import { ApiError } from '../api/errors';
import type { DataProgress, DocumentView } from '../api/types';
import { cell, columns, nameOf } from './collections/cells';
import { DocumentEditor, rebased } from './collections/editing';
import { changes, Json, JsonObject, merged, pretty, relaxed, roundedNumber } from './collections/ejson';
import { keysOf } from './collections/indexKeys';
import { CollectionModel } from './collections/model';
import { asked, QueryError, search } from './collections/query';
import { collectionOf, formatOf } from './collections/transfer';
import { DataRun } from './run';

const trans = nullTranslator.load('gofastapi');

const CANONICAL: JsonObject = {
  _id: { $oid: '6566f0c2a7b1f24d8e9c0a11' },
  small: { $numberInt: '5' },
  long: { $numberLong: '5' },
  longest: { $numberLong: '9223372036854775807' },
  double: { $numberDouble: '1.0' },
  least: { $numberDouble: '-0.0' },
  endless: { $numberDouble: 'Infinity' },
  date: { $date: { $numberLong: '1795696200234' } },
  far: { $date: { $numberLong: '1000000000000000' } },
  money: { $numberDecimal: '1.50' },
  bytes: { $binary: { base64: 'AAECAw==', subType: '00' } },
  list: [{ $numberLong: '1' }, { $numberDouble: '2.0' }, { a: { $numberLong: '3' } }],
  deep: { er: { $numberLong: '7' }, text: 'x' }
};

describe('Extended JSON', () => {
  it('is read as people do, and what no number holds stays wrapped', () => {
    expect(relaxed(CANONICAL)).toEqual({
      ...CANONICAL,
      small: 5,
      long: 5,
      double: 1,
      date: { $date: '2026-11-26T12:30:00.234Z' },
      list: [1, 2, { a: 3 }],
      deep: { er: 7, text: 'x' }
    });
  });

  it('goes back as it came where nobody touched it', () => {
    const text = pretty(relaxed(CANONICAL));
    expect(merged(CANONICAL, JSON.parse(text) as Json)).toEqual(CANONICAL);
  });

  it('keeps the type of a number that is changed', () => {
    const edited = { ...(relaxed(CANONICAL) as JsonObject), long: 6, double: 3, small: 2.5, money: 2 };
    expect(merged(CANONICAL, edited)).toEqual({
      ...CANONICAL,
      long: { $numberLong: '6' },
      double: { $numberDouble: '3.0' },
      small: { $numberDouble: '2.5' },
      money: { $numberDecimal: '2' }
    });
    expect(merged(undefined, 2 ** 40)).toEqual({ $numberLong: '1099511627776' });
  });

  it('keeps types in a list that something is put into or taken from', () => {
    const seen: Json = [
      { $numberLong: '1' },
      { $numberDouble: '2.0' },
      null,
      { a: { $numberLong: '3' }, b: 'x' }
    ];
    expect(merged(seen, [0, 1, 2, null, { a: 3, b: 'y' }])).toEqual([
      { $numberInt: '0' },
      ...seen.slice(0, 3),
      { a: { $numberLong: '3' }, b: 'y' }
    ]);
    expect(merged(seen, [2, { a: 3, b: 'x' }])).toEqual([seen[1], seen[3]]);
  });

  it('is written on few lines', () => {
    expect(pretty({ _id: { $oid: 'a' }, list: [], none: {}, deep: { x: [1] } })).toBe(
      '{\n  "_id": {"$oid": "a"},\n  "list": [],\n  "none": {},\n  "deep": {\n    "x": [\n      1\n    ]\n  }\n}'
    );
  });

  it('tells which number JavaScript would round, outside of texts', () => {
    expect(roundedNumber('{"a": "9223372036854775807", "b": 9007199254740991, "c": 1.5}')).toBeNull();
    expect(roundedNumber('{"a": 9223372036854775807}')).toBe('9223372036854775807');
  });

  it('has fields of any name', () => {
    const odd = JSON.parse('{"__proto__": {"$numberLong": "5"}}') as JsonObject;
    expect(JSON.stringify(relaxed(odd))).toBe('{"__proto__":5}');
  });
});

describe('what an edit changes', () => {
  it('is said field by field, as deep as objects go', () => {
    const after = { ...CANONICAL, deep: { er: { $numberLong: '8' } }, extra: 'y' } as JsonObject;
    delete after.small;
    expect(changes(CANONICAL, after)).toEqual({
      set: { 'deep.er': { $numberLong: '8' }, extra: 'y' },
      unset: ['small', 'deep.text']
    });
  });

  it('goes as a whole where a path cannot say it', () => {
    expect(changes({ deep: { 'a.b': 1 } }, { deep: { 'a.b': 2 } })).toEqual({
      set: { deep: { 'a.b': 2 } },
      unset: []
    });
    expect(changes({ 'a.b': 1 }, { 'a.b': 2 })).toBeNull();
    expect(changes({ '': 1 }, {})).toBeNull();
  });

  it('is put on top of what somebody else changed', () => {
    const before = { a: 1, b: 1, c: 1, deep: { x: 1, y: 1 } };
    const mine = { a: 2, b: 1, deep: { x: 2, y: 1 } };
    const theirs = { a: 1, b: 3, c: 3, deep: { x: 1, y: 3 }, d: 3 };
    expect(rebased(before, mine, theirs)).toEqual({ a: 2, b: 3, deep: { x: 2, y: 3 }, d: 3 });
  });
});

describe('a document that is edited', () => {
  const view = (age: string, version: string): DocumentView => ({
    key: 'k',
    id: { $numberInt: '1' },
    version,
    document: { _id: { $numberInt: '1' }, age: { $numberLong: age }, name: 'Ann' }
  });

  it('is saved by its fields, and meets what somebody else did', async () => {
    const sent: unknown[] = [];
    const answers = [
      new ApiError('It was changed.', 'document_conflict', 409, { theirs: view('9', 'v2') }),
      view('5', 'v3')
    ];
    const api = {
      PATCH: async (_path: string, { body }: { body: unknown }) => {
        sent.push(body);
        const answer = answers.shift();
        if (answer instanceof Error) {
          throw answer;
        }
        return { data: answer };
      },
      GET: async () => ({ data: { documents: [] } })
    };
    const collection = new CollectionModel('people', null, { api } as unknown as Client, trans);
    const editor = new DocumentEditor(collection, view('4', 'v1'));
    editor.text = editor.text.replace('"age": 4', '"age": 5');
    expect(editor.isDirty).toBe(true);
    expect(await editor.save()).toBe(false);
    expect(editor.conflict?.theirText).toContain('"age": 9');
    expect(editor.conflict?.mineText).toContain('"age": 5');
    expect(await editor.keepMine()).toBe(true);
    expect(sent).toEqual([
      { set: { age: { $numberLong: '5' } }, unset: [], version: 'v1' },
      { set: { age: { $numberLong: '5' } }, unset: [], version: 'v2' }
    ]);
    expect([editor.isDirty, editor.seen?.version]).toEqual([false, 'v3']);
  });

  it('says what is wrong before anything is sent', async () => {
    const collection = new CollectionModel('people', null, {} as Client, trans);
    const editor = new DocumentEditor(collection, view('4', 'v1'));
    for (const [text, words] of [
      ['{', 'not JSON'],
      ['[]', 'is an object'],
      ['{"age": 9223372036854775807}', 'too large to be kept exactly']
    ]) {
      editor.text = text;
      expect(await editor.save()).toBe(false);
      expect(String(editor.error)).toContain(words);
    }
  });
});

describe('a table of documents', () => {
  it('has a column for each field, the id first', () => {
    expect(columns([{ b: 1 }, { a: 1, _id: 1 }])).toEqual({ names: ['_id', 'b', 'a'], left: 0 });
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, at]));
    expect(columns([many])).toMatchObject({ left: 17 });
  });

  it.each([
    [{ $oid: 'abc' }, 'abc', 'id'],
    [{ $date: { $numberLong: '-1093737600000' } }, '1935-05-06 00:00:00 UTC', 'date'],
    [{ $date: { $numberLong: '1000000000000000' } }, 'a date outside of the calendar', 'date'],
    [{ $numberLong: '9223372036854775807' }, '9223372036854775807', 'number'],
    [{ $numberDecimal: '1.50' }, '1.50', 'number'],
    [{ $binary: { base64: 'AAECAw==', subType: '00' } }, '4 bytes', 'word'],
    [
      { $binary: { base64: 'AAAAAAAAAAAAAAAAAAAAAA==', subType: '04' } },
      '00000000-0000-0000-0000-000000000000',
      'word'
    ],
    [{ $regularExpression: { pattern: '^a', options: 'i' } }, '/^a/i', 'word'],
    [[{ $numberInt: '1' }], '1 item', 'nested'],
    [{ city: 'Oslo', zip: '1' }, '{ city, zip }', 'nested'],
    [null, 'null', 'word'],
    ['x'.repeat(200), `${'x'.repeat(120)}…`, 'text']
  ])('shows %j as %s', (value, text, kind) => expect(cell(value as Json, trans)).toEqual({ text, kind }));

  it.each([
    ['tea', 'tea'],
    ['', '""'],
    [' ', '" "'],
    [{ $oid: '6566f0c2a7b1f24d8e9c0a11' }, '6566f0c2a7b1f24d8e9c0a11'],
    [{ x: { $numberInt: '1' }, y: [null] }, '{"x":1,"y":[null]}'],
    [{ $binary: { base64: 'eA==', subType: '00' } }, '{"$binary":{"base64":"eA==","subType":"00"}}']
  ])('calls a document with the _id %j %s', (id, name) => expect(nameOf(id as Json, trans)).toBe(name));
});

describe('the query bar', () => {
  it('takes filters as they are, and names as people write them', () => {
    const query = { filter: ' {"n": 12345678901234567890} ', sort: '2, -a', fields: '-big' };
    expect(asked(query, trans)).toEqual({
      filter: '{"n": 12345678901234567890}',
      sort: '{"2": 1, "a": -1}',
      projection: '{"big": 0}'
    });
    expect(asked({ filter: '', sort: ' , ', fields: '' }, trans)).toEqual({});
  });

  it('says what is wrong with a filter', () => {
    for (const filter of ['{done: false}', '[]', '1']) {
      expect(() => asked({ filter, sort: '', fields: '' }, trans)).toThrow(QueryError);
    }
  });

  it('becomes part of an address', () => {
    expect(search({ a: 'x y', b: undefined, c: null, d: '' })).toBe('?a=x+y');
    expect(search({})).toBe('');
  });
});

describe('files and indexes', () => {
  it('are told by their names', () => {
    expect([formatOf('a.CSV'), formatOf('a.jsonl')]).toEqual(['csv', 'jsonl']);
    expect(collectionOf('people.2026.jsonl')).toBe('people_2026');
    expect(keysOf('age, -name, title:text')).toEqual({ age: 1, name: -1, title: 'text' });
  });
});

describe('work on the whole database', () => {
  async function* lines(...stages: Partial<DataProgress>[]): AsyncGenerator<DataProgress> {
    for (const each of stages) {
      yield { seconds: 0, ...each } as DataProgress;
    }
  }
  const moved = { app: 'hello', moved: true };

  it('is followed to its end', async () => {
    const run = new DataRun();
    const first = run.follow('Restore', () =>
      lines({ stage: 'load' }, { stage: 'app', app: moved }, { stage: 'done' })
    );
    expect(await run.follow('Another', () => lines())).toBeNull();
    expect((await first)?.stage).toBe('done');
    expect([run.title, run.moves, run.error, run.isRunning]).toEqual(['Restore', [moved], null, false]);
    run.clear();
    expect([run.title, run.end]).toEqual(['', null]);
  });

  it('says why it failed, in the words of the service', async () => {
    const run = new DataRun();
    const error = { message: 'No room.', code: 'unavailable', details: {} };
    expect(
      await run.follow('Backup', () => lines({ stage: 'failed', error } as Partial<DataProgress>))
    ).toBeNull();
    expect([String(run.error), run.end]).toEqual(['ApiError: No room.', null]);
  });
});
