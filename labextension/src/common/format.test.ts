import { describe, expect, it } from 'vitest';

import { ago, bytes, count, milliseconds, percent, seconds } from './format';

describe('figures as people read them', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [999.6, '1 k'],
    [1234, '1.2 k'],
    [99_960, '100 k'],
    [3_400_000, '3.4 M']
  ])('counts %d as %s', (value, text) => expect(count(value)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [20_000_000, '20 MB']
  ])('says %d bytes as %s', (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    [0.42, '0.4 ms'],
    [12.3, '12 ms'],
    [999.6, '1 s'],
    [1240, '1.2 s']
  ])('says a latency of %d as %s', (value, text) => expect(milliseconds(value)).toBe(text));

  it.each([
    [0.123, '0.12 s'],
    [4.24, '4.2 s'],
    [59.7, '1 min'],
    [7200, '2 h'],
    [3 * 86_400, '3 d']
  ])('says %d seconds as %s', (value, text) => expect(seconds(value)).toBe(text));

  it('says shares, and nothing of nothing is nothing', () => {
    expect(percent(3, 1000)).toBe('0.3 %');
    expect(percent(1, 2)).toBe('50 %');
    expect(percent(0, 0)).toBe('0 %');
  });

  it('says how long ago', () => {
    const now = new Date('2026-01-02T12:00:00Z');
    expect(ago('2026-01-02T11:57:00Z', now, 'en')).toBe('3 minutes ago');
    expect(ago('2026-01-01T12:00:00Z', now, 'en')).toBe('yesterday');
    expect(ago('2026-01-02T12:00:00Z', now, 'en')).toBe('now');
  });
});
