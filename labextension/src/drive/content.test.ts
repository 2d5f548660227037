import { expect, test } from 'vitest';

import { base64Of, bytesOf, contentOf, fileOf, fileOfBytes, sizeOf, textFile, Uploads } from './content';

const BINARY = new Uint8Array([0x89, 0x50, 0xff, 0x00]);

test('bytes that are text are saved as text, others as they are', () => {
  expect(fileOf({ format: 'base64', content: btoa('a = 1\n') }).text).toBe('a = 1\n');
  expect(fileOfBytes(new TextEncoder().encode('\ufeffü')).text).toBe('\ufeffü');
  const file = fileOf({ format: 'base64', content: base64Of(BINARY) });
  expect(file.text).toBeUndefined();
  expect(bytesOf(file.base64!)).toEqual(BINARY);
});

test('sizes are in bytes', () => {
  expect(sizeOf(textFile('ü'))).toBe(2);
  for (const length of [0, 1, 2, 3, 4]) {
    expect(sizeOf({ base64: base64Of(BINARY.subarray(0, length)), blob_bytes: 0 })).toBe(Math.min(length, 4));
  }
  expect(sizeOf({ blob: 'a'.repeat(64), blob_bytes: 7 })).toBe(7);
});

test('a notebook travels as JSON and is stored as Jupyter writes it', () => {
  const file = fileOf({ format: 'json', content: { cells: [] } });
  expect(file.text).toBe('{\n "cells": []\n}\n');
  expect(contentOf('a.ipynb', file, { type: 'notebook', format: 'json' }).content).toEqual({ cells: [] });
  expect(contentOf('a.ipynb', file, { type: 'file', format: 'text' }).content).toBe(file.text);
});

test('what cannot be shown says why', () => {
  const binary = { base64: base64Of(BINARY), blob_bytes: 0 };
  expect(() => contentOf('logo.png', binary, { format: 'text' })).toThrow('logo.png is no text');
  expect(() => contentOf('a.ipynb', textFile('{'), { type: 'notebook' })).toThrow('a.ipynb is no notebook');
  expect(contentOf('logo.png', binary, { format: 'base64' }).content).toBe(binary.base64);
  expect(contentOf('logo.svg', textFile('<svg/>'), { format: 'base64' }).content).toBe(btoa('<svg/>'));
});

test('an upload in parts is one file, and a new one begins anew', async () => {
  const uploads = new Uploads(() => Promise.resolve());
  expect(await uploads.add('a', btoa('gone'), 1)).toBeNull();
  expect(await uploads.add('a', btoa('one '), 1)).toBeNull();
  expect(await uploads.add('b', btoa('other'), 1)).toBeNull();
  expect(await uploads.add('a', btoa('two '), 2)).toBeNull();
  expect(new TextDecoder().decode((await uploads.add('a', btoa('three'), -1))!)).toBe('one two three');
});

test('an upload that grows too large ends', async () => {
  const uploads = new Uploads((path, bytes) =>
    bytes > 5 ? Promise.reject(new Error(`${path} is too large`)) : Promise.resolve()
  );
  await uploads.add('a', btoa('1234'), 1);
  await expect(uploads.add('a', btoa('5678'), 2)).rejects.toThrow('a is too large');
  expect((await uploads.add('a', btoa('9'), -1))!.length).toBe(1);
});
