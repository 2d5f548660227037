import { Dialog } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { Widget } from '@lumino/widgets';

import type { TranslationBundle } from '../common/translation';
import type { IConflict, Resolution } from './conflict';
import type { ISides } from './mergeView';

/** Ask what to save where there are two sides. Nothing is saved before the person has decided. */
export async function askForSide(
  conflict: IConflict,
  languages: IEditorLanguageRegistry | null,
  trans: TranslationBundle
): Promise<Resolution> {
  const { mine, theirs, etag } = conflict;
  const isText = mine !== null && theirs !== null;
  const body = new Sides(conflict, trans);
  const buttons = [Dialog.cancelButton({ label: trans.__('Decide Later') })];
  if (etag === null) {
    buttons.push(Dialog.okButton({ label: trans.__('Save Mine Again'), actions: ['mine'] }));
  } else {
    buttons.push(
      Dialog.createButton({ label: trans.__('Take Theirs'), accept: true, actions: ['theirs'] }),
      Dialog.okButton({
        label: isText ? trans.__('Take Mine') : trans.__('Replace with Mine'),
        actions: ['mine']
      })
    );
  }
  if (isText) {
    buttons.push(Dialog.okButton({ label: trans.__('Save Merged'), actions: ['merged'] }));
  }
  const dialog = new Dialog<string>({
    title:
      etag === null
        ? trans.__('%1 was deleted elsewhere', conflict.path)
        : trans.__('Two versions of %1', conflict.path),
    body,
    buttons,
    defaultButton: 0,
    hasClose: true
  });
  dialog.addClass('gf-MergeDialog');
  const merged = isText ? dialog.node.querySelectorAll<HTMLButtonElement>('.jp-Dialog-button')[3] : undefined;
  if (isText) {
    if (merged) {
      merged.disabled = true;
    }
    // A chunk of its own: conflicts are rare.
    void import('./mergeView').then(async ({ showSides }) => {
      const changed = () => merged && (merged.disabled = false);
      const sides = await showSides({
        parent: body.place,
        path: conflict.path,
        mine,
        theirs,
        languages,
        trans,
        changed
      });
      body.take(sides);
    });
  }
  const result = await dialog.launch();
  switch (result.button.actions[0]) {
    case 'mine':
      return { kind: 'mine' };
    case 'theirs':
      return { kind: 'theirs' };
    case 'merged':
      return { kind: 'merged', text: result.value ?? '' };
    default:
      return null;
  }
}

/** What was saved meanwhile and by whom, above both sides. */
class Sides extends Widget implements Dialog.IBodyWidget<string> {
  constructor(conflict: IConflict, trans: TranslationBundle) {
    super();
    this.addClass('gf-Merge');
    const message = document.createElement('p');
    message.textContent = conflict.message;
    this.node.append(message);
    if (conflict.mine !== null && conflict.theirs !== null) {
      const heads = document.createElement('div');
      heads.className = 'gf-Merge-heads';
      for (const words of [trans.__('Theirs: as it is saved'), trans.__('Yours: edit it to merge by hand')]) {
        const head = document.createElement('span');
        head.textContent = words;
        heads.append(head);
      }
      this.place.className = 'gf-Merge-sides';
      // Else Enter in the text would press a button of the dialog.
      this.place.addEventListener('keydown', event => event.key === 'Enter' && event.stopPropagation());
      this.node.append(heads, this.place);
    } else if (conflict.etag !== null) {
      const advice = document.createElement('p');
      advice.textContent = trans.__('It is no text, so the two cannot be shown side by side.');
      this.node.append(advice);
    }
  }

  /** Where the two texts go. */
  readonly place = document.createElement('div');

  take(sides: ISides): void {
    if (this.isDisposed) {
      sides.dispose();
      return;
    }
    this._sides = sides;
    sides.focus();
  }

  getValue(): string {
    return this._sides?.text() ?? '';
  }

  override dispose(): void {
    this._sides?.dispose();
    super.dispose();
  }

  private _sides: ISides | null = null;
}
