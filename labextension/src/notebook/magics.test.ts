import { describe, expect, it } from 'vitest';

import { complete, helpAt, helpOnLine, isMagicLine } from './magics';

const APPS = [{ name: 'shop', about: 'v1 live' }];
const at = (line: string) => ({ line: line.replace('|', ''), column: line.indexOf('|') });
const completed = (text: string) => {
  const { line, column } = at(text);
  return complete(line, column, APPS)?.items.map(item => item.text);
};
const helped = (text: string) => {
  const { line, column } = at(text);
  return helpAt(line, column);
};

describe('on the line of a magic', () => {
  it('options are completed, but those that are there', () => {
    expect(completed('%%deploy shop --m|')).toEqual(['--message']);
    expect(completed('%%deploy shop --open --|')).not.toContain('--open');
    expect(completed('%deploy shop --|')).toContain('--dry-run');
    expect(completed('%%deploy shop --|')).not.toContain('--dry-run');
  });

  it('apps are completed where a name stands', () => {
    expect(completed('%logs |')).toEqual(['shop']);
    expect(completed('%logs --tail 5 s|')).toEqual(['shop']);
    expect(completed('%apps |')).toEqual([]);
    expect(completed('%logs shop |')).toContain('--follow');
  });

  it('values are left to the kernel', () => {
    expect(completed('%%deploy shop --with |')).toEqual([]);
    expect(completed('%%deploy shop --message --|')).toEqual([]);
  });

  it('magics themselves are completed', () => {
    expect(completed('%%depl|')).toEqual(['%%deploy', '%%deployfile']);
    expect(completed('%|')).toEqual([]);
    expect(completed('x = 1 % dep|')).toBeUndefined();
  });

  it('each word is explained', () => {
    expect(helped('%%de|ploy shop')?.term).toMatch(/^%%deploy NAME/);
    expect(helped('%%deploy sh|op')?.app).toBe('shop');
    expect(helped('%%deploy shop --e|nv A=b')?.term).toBe('--env K=V');
    expect(helped('%%deploy shop --env A=|b')?.term).toBe('--env K=V');
    expect(helped('x = |1')).toBeNull();
    expect(helpOnLine('%versions shop ', 15)?.term).toBe('%versions NAME');
  });

  it('knows its own', () => {
    expect(isMagicLine('  %logs shop')).toBe(true);
    expect(isMagicLine('%timeit x')).toBe(false);
    expect(isMagicLine('%constructor')).toBe(false);
  });
});
