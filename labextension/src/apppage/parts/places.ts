import type { TranslationBundle } from '@jupyterlab/translation';

import type { Diagnostic } from '../../api/types';

/** Where a line of an app's code stands: in a cell of a notebook, or in a file of the app's draft. */
export type IPlace = { label: string; hint: string } & (
  | { kind: 'cell'; cell: NonNullable<Diagnostic['cell']>; text: string | undefined }
  | { kind: 'file'; path: string; line: number }
);

export function placeOf(
  { cell, file, line, source }: Pick<Diagnostic, 'cell' | 'file' | 'line' | 'source'>,
  app: string,
  trans: TranslationBundle
): IPlace | undefined {
  if (cell?.notebook) {
    const at = cell.line ?? 1;
    const name = cell.notebook.split('/').at(-1) ?? cell.notebook;
    return {
      kind: 'cell',
      cell,
      text: source ?? undefined,
      label: trans.__('%1, line %2', cell.label, at),
      hint: trans.__('Go to the line in %1', name)
    };
  }
  // Only what is the app's own stands in its draft.
  if (!file || file.startsWith('/') || file.startsWith('<')) {
    return undefined;
  }
  const at = line ?? 1;
  return {
    kind: 'file',
    path: `${app}/${file}`,
    line: at,
    label: trans.__('%1, line %2', file, at),
    hint: trans.__('Go to the line in the file of the app')
  };
}
