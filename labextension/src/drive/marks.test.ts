import { Text } from '@codemirror/state';
import { expect, test } from 'vitest';

import type { Diagnostic } from '../api/types';
import { rangeOf } from './marks';

const TEXT = Text.of(['import os', '    return 1 / 0', '', 'x']);

function at(place: Partial<Diagnostic>): string | null {
  const range = rangeOf({ severity: 'error', code: 'x', message: 'x', ...place }, TEXT);
  return range && TEXT.sliceString(range.from, range.to);
}

test('a mark is where the service says', () => {
  expect(at({ line: 2, column: 11, end_line: 2, end_column: 16 })).toBe('1 / 0');
  expect(at({ line: 1, column: 7, end_line: 2, end_column: 4 })).toBe('os\n    ');
});

test('where only the line is known it is all of it, without its indent', () => {
  expect(at({ line: 2 })).toBe('return 1 / 0');
  expect(at({ line: 2, column: 99 })).toBe('0');
  expect(at({ line: 3 })).toBe('');
});

test('a line that is not there is not marked', () => {
  expect(at({ line: 9 })).toBeNull();
  expect(at({})).toBeNull();
});
