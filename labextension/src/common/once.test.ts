import { expect, it } from 'vitest';

import { Once } from './once';

it('does a thing once at a time, and again when it is over', async () => {
  const once = new Once();
  let begun = 0;
  const ends: (() => void)[] = [];
  const task = () => {
    begun += 1;
    return new Promise<number>(resolve => ends.push(() => resolve(begun)));
  };
  const first = once.do('stop tea', task);
  const again = once.do('stop tea', task);
  const other = once.do('stop coffee', task);
  expect(begun).toBe(2);
  ends.forEach(end => end());
  expect(await Promise.all([first, again, other])).toEqual([2, 2, 2]);

  await expect(once.do('stop tea', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  const later = once.do('stop tea', task);
  ends.at(-1)!();
  expect(await later).toBe(3);
});

it('does a thing that is asked of a person for the first who wants it', async () => {
  const once = new Once();
  let answer: (name: string) => void = () => {};
  const first = once.orNever('name', () => new Promise<string>(resolve => (answer = resolve)));
  expect(await once.orNever('name', () => Promise.resolve('coffee'))).toBeNull();
  answer('tea');
  expect(await first).toBe('tea');
  expect(await once.orNever('name', () => Promise.resolve('coffee'))).toBe('coffee');
});
