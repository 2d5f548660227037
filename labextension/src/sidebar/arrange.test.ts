import { describe, expect, it } from 'vitest';

import type { IAppEntry } from '../apps/model';
import { arrange, Sort } from './arrange';

function entry(id: string, view: object = {}, numbers?: object): IAppEntry {
  return {
    view: { id, title: id, ...view },
    numbers: numbers && { app: id, ...numbers }
  } as unknown as IAppEntry;
}

const APPS = [
  entry(
    'bee',
    { title: 'Honey shop', health: { color: 'green' }, updated_at: '2026-01-01T00:00:00Z' },
    { requests: 9 }
  ),
  entry('ant', { health: { color: 'red' }, updated_at: '2026-01-02T00:00:00Z' }, { requests: 100 }),
  entry('cat', {
    health: { color: 'green' },
    updated_at: '2025-01-01T00:00:00Z',
    last_request_at: '2026-01-03T00:00:00Z'
  }),
  entry(
    'dog',
    { health: { color: 'green' }, updated_at: '2024-01-01T00:00:00Z' },
    { requests: 9, server_errors: 2 }
  )
];

describe('apps in the sidebar', () => {
  it.each<[Sort, string]>([
    ['name', 'ant cat dog bee'],
    ['recent', 'cat ant bee dog'],
    ['busiest', 'ant dog bee cat'],
    ['troubled', 'ant dog cat bee']
  ])('come %s', (sort, order) => {
    expect(
      arrange(APPS, '', sort)
        .map(({ view }) => view.id)
        .join(' ')
    ).toBe(order);
  });

  it('are found by words of name and title', () => {
    expect(arrange(APPS, ' SHOP bee ', 'name').map(({ view }) => view.id)).toEqual(['bee']);
    expect(arrange(APPS, 'shop ant', 'name')).toEqual([]);
  });
});
