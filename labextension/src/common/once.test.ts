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
