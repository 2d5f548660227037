import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** What is read or heard by people, as an attribute of a view or a field of an option. */
const READ = new Set([
  'aria-label',
  'ariaLabel',
  'alt',
  'caption',
  'label',
  'labelTitle',
  'message',
  'okLabel',
  'cancelLabel',
  'placeholder',
  'title'
]);
/** Code and names of things, the same in every language. */
const NO_WORDS = /^(GoFastAPI|API_KEY|Authorization: .*|CSV|age, -name|try-it|%%deploy\b.*|v|[^\p{L}]*)$/u;
const LITERAL = new Set(['code', 'kbd', 'pre']);

/** Where a text stands that the translator does not see. */
function untranslated(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const check = (node: ts.Node, words: string) => {
    if (!NO_WORDS.test(words.trim())) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${words.trim()}`);
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxElement(node) && LITERAL.has(node.openingElement.tagName.getText())) {
      return;
    }
    if (ts.isJsxText(node)) {
      check(node, node.text);
    }
    if ((ts.isJsxAttribute(node) || ts.isPropertyAssignment(node)) && node.initializer) {
      const name = node.name.getText().replace(/'/g, '');
      if (READ.has(name) && ts.isStringLiteralLike(node.initializer)) {
        check(node, node.initializer.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && /^(?!.*\.test\.|schema\.ts).*\.tsx?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name));
}

describe('what people read', () => {
  it('goes through the translator', () => {
    const files = sources(join(import.meta.dirname, '..'));
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(untranslated)).toEqual([]);
  });
});
