import { expect, test } from 'vitest';

import { textFile } from './content';
import { EmptyFolders, entriesOf, filesBelow, leftEmpty } from './tree';

const FILES = {
  'main.py': textFile(''),
  'routers/users.py': textFile(''),
  'routers/admin/all.py': textFile('')
};
const names = (folder: string, empty: string[] = []) =>
  entriesOf(FILES, empty, folder)?.map(each => each.path + (each.isFolder ? '/' : ''));

test('folders are what paths have in common', () => {
  expect(names('')).toEqual(['main.py', 'routers/']);
  expect(names('routers')).toEqual(['routers/admin/', 'routers/users.py']);
  expect(names('rout')).toBeUndefined();
  expect(names('main.py')).toBeUndefined();
});

test('an empty folder is there until it is removed', () => {
  const empty = new EmptyFolders();
  empty.add('hello/static');
  empty.add('hello/static/css');
  expect(names('', ['static', 'static/css'])).toEqual(['main.py', 'routers/', 'static/']);
  expect(names('static', ['static', 'static/css'])).toEqual(['static/css/']);
  expect(names('static/css', ['static', 'static/css'])).toEqual([]);
  empty.rename('hello/static', 'hello/assets');
  expect(empty.within('hello')).toEqual(['hello/assets', 'hello/assets/css']);
  empty.remove('hello/assets');
  expect(empty.within('')).toEqual([]);
});

test('a folder is copied with all that is below it', () => {
  expect(Object.keys(filesBelow(FILES, 'routers', 'copy'))).toEqual(['copy/users.py', 'copy/admin/all.py']);
  expect(Object.keys(filesBelow(FILES, 'main.py', 'app/main.py'))).toEqual(['app/main.py']);
});

test('a folder is left empty when its last file goes', () => {
  expect(leftEmpty(FILES, 'routers/admin/all.py')).toBe('routers/admin');
  expect(leftEmpty(FILES, 'routers/users.py')).toBeNull();
  expect(leftEmpty(FILES, 'main.py')).toBeNull();
});
