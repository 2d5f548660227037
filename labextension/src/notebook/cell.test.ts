import { describe, expect, it } from 'vitest';

import { crc32, readCell, splitWords } from './cell';

describe('a cell', () => {
  it('is an app, where %%deploy stands on top', () => {
    expect(readCell('%%deploy hello --env A="b c" --with x,y --open\n\nfrom x import y\n\n')).toEqual({
      kind: 'deploy',
      app: 'hello',
      path: 'main.py',
      body: 'from x import y',
      bodyLine: 3,
      nameLine: 1,
      arguments: '--env A=b c\n--with x\n--with y'
    });
    expect(readCell('%%deploy --env A=b hello')?.app).toBe('hello');
    expect(readCell('\n%%time\n%%deploy hello\nx\r\ny')).toMatchObject({
      body: 'x\ny',
      bodyLine: 4,
      nameLine: 3
    });
  });

  it('goes live with the same arguments, however they are written', () => {
    const of = (line: string) => readCell(`%%deploy ${line}\nx`)?.arguments;
    const all = of('shop --env A="b c" --env B=1 --with x,y --file a.txt --file b.txt --db-branch=try');
    expect(all).toBe(
      '--db-branch try\n--env A=b c\n--env B=1\n--file a.txt\n--file b.txt\n--with x\n--with y'
    );
    expect(
      of(
        "  --file b.txt --with y  --with=x,y --env B=2 --env 'A=b c' shop --env B=1 --file a.txt --db-branch try"
      )
    ).toBe(all);
    expect(of('shop --message "new" --open --run --db-branch main')).toBe('');
    expect(of('shop --env A={token}')).not.toBe(of('shop --env A={other}'));
  });

  it('is a part of an app, where it is marked', () => {
    const source = "# The users\n#| deploy: 'hello'\n#| file: routers/users.py\n\n# A comment\nx = 1\n";
    expect(readCell(source)).toEqual({
      kind: 'marked',
      app: 'hello',
      path: 'routers/users.py',
      body: '# A comment\nx = 1',
      bodyLine: 5,
      nameLine: 2,
      arguments: ''
    });
    expect(readCell('#| deploy: hello\nx')?.path).toBe('main.py');
  });

  it('is a file, or a line that deploys others', () => {
    expect(readCell('%%deployfile hello a/b.py --force\nx')).toMatchObject({
      kind: 'file',
      path: 'a/b.py',
      body: 'x'
    });
    expect(readCell('# All of it:\n%deploy hello --dry-run')).toMatchObject({
      kind: 'line',
      app: 'hello',
      nameLine: 2
    });
  });

  it.each([
    'x = 1',
    'deploy = 1',
    'x = 1\n%%deploy hello',
    'x = 1\n#| deploy: hello',
    '%%deploy',
    '%%deploy Hello\nx',
    '%%deploy {name}\nx',
    '%%deployed hello\nx',
    '%%writefile x.py\n#| deploy: hello'
  ])('has nothing to do with an app: %j', source => {
    expect(readCell(source)).toBeNull();
  });

  it('is known by the sum that zlib makes', () => {
    expect(crc32('')).toBe(0);
    expect(crc32('price = "3 €"')).toBe(0x16ea3a7a);
  });

  it('keeps quoted words together', () => {
    expect(splitWords('a "b c" d\\ e').map(word => word.text)).toEqual(['a', 'b c', 'd\\ e']);
  });
});
