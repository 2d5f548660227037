import { expect, test } from 'vitest';

import { appOf, folderOf, freeName, isWithin, join, moved, placeOf } from './paths';

test('a path on the drive is a place in an app', () => {
  expect(placeOf('gofastapi:hello/static/style.css')).toEqual({ app: 'hello', path: 'static/style.css' });
  expect(placeOf('hello')).toEqual({ app: 'hello', path: '' });
  expect(placeOf('gofastapi:')).toEqual({ app: '', path: '' });
  expect(placeOf('/hello/main.py')).toEqual({ app: 'hello', path: 'main.py' });
});

test('a document of another drive belongs to no app', () => {
  expect(appOf('gofastapi:hello/main.py')).toBe('hello');
  expect(appOf('hello/main.py')).toBeNull();
  expect(appOf('gofastapi:')).toBeNull();
});

test('what lies in a folder moves with it, and what only begins alike does not', () => {
  expect(moved('api/users.py', 'api', 'routers')).toBe('routers/users.py');
  expect(moved('api', 'api', 'routers')).toBe('routers');
  expect(moved('apis/users.py', 'api', 'routers')).toBe('apis/users.py');
  expect(isWithin('anything', '')).toBe(true);
  expect(join('', 'a', '', 'b')).toBe('a/b');
  expect(folderOf('main.py')).toBe('');
});

test('a name that is taken gets a number before its extension', () => {
  expect(freeName('untitled.py', new Set())).toBe('untitled.py');
  expect(freeName('untitled.py', new Set(['untitled.py', 'untitled1.py']))).toBe('untitled2.py');
  expect(freeName('main.py', new Set(['main.py']), '-Copy')).toBe('main-Copy1.py');
  expect(freeName('.gitkeep', new Set(['.gitkeep']))).toBe('.gitkeep1');
});
