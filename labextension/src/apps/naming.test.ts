import { describe, expect, it } from 'vitest';

import { freeName, problemOf, suggestName } from './naming';

describe('names of apps', () => {
  it.each([
    ['hello', null],
    ['a1-b', null],
    ['', 'empty'],
    ['Hello', 'letters'],
    ['1st', 'letters'],
    ['a-', 'letters'],
    ['ä', 'letters'],
    ['a'.repeat(41), 'long'],
    ['hub', 'reserved'],
    ['mine', 'taken']
  ])('finds what is wrong with "%s": %s', (name, problem) => {
    expect(problemOf(name, new Set(['mine']))).toBe(problem);
  });

  it('finds a free one', () => {
    expect(freeName('hello', new Set())).toBe('hello');
    expect(freeName('hello', new Set(['hello', 'hello-2']))).toBe('hello-3');
    const long = 'a'.repeat(40);
    expect(problemOf(freeName(long, new Set([long])), new Set([long]))).toBeNull();
  });

  it.each([
    ['My Notebook 2', 'my-notebook-2'],
    ['2 Untitled', 'untitled'],
    ['admin', 'my-admin'],
    ['…', '']
  ])('makes one of "%s"', (text, name) => expect(suggestName(text)).toBe(name));
});
