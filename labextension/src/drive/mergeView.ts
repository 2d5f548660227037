import { history, historyKeymap, defaultKeymap } from '@codemirror/commands';
import { goToNextChunk, goToPreviousChunk, MergeView } from '@codemirror/merge';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { type IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';

import { languageOf, reading } from '../common/editor';
import type { TranslationBundle } from '../common/translation';

/** Two texts side by side: theirs, which is only read, and mine, which takes chunks from there and is edited. */
export interface ISides {
  /** What stands on the right now. */
  text(): string;
  focus(): void;
  dispose(): void;
}

/** Show both sides in `parent`. Loaded when there is a conflict: nobody else needs it. */
export async function showSides(options: {
  parent: HTMLElement;
  path: string;
  mine: string;
  theirs: string;
  languages: IEditorLanguageRegistry | null;
  trans: TranslationBundle;
  changed: () => void;
}): Promise<ISides> {
  const { trans, languages, path } = options;
  const [theirs, language] = await Promise.all([
    reading(path, trans.__('Theirs, as it is saved'), languages),
    languageOf(path, languages)
  ]);
  const chunks = [
    { key: 'Alt-ArrowDown', run: goToNextChunk },
    { key: 'Alt-ArrowUp', run: goToPreviousChunk }
  ];
  const view = new MergeView({
    parent: options.parent,
    a: {
      doc: options.theirs,
      extensions: [...theirs, keymap.of(chunks)]
    },
    b: {
      doc: options.mine,
      extensions: [
        lineNumbers(),
        jupyterTheme,
        EditorView.lineWrapping,
        ...language,
        history(),
        keymap.of([...chunks, ...historyKeymap, ...defaultKeymap]),
        EditorView.contentAttributes.of({ 'aria-label': trans.__('Yours, to be saved') }),
        EditorView.updateListener.of(update => update.docChanged && options.changed())
      ]
    },
    revertControls: 'a-to-b',
    renderRevertControl: () => {
      const button = document.createElement('button');
      button.title = trans.__('Take this part of theirs');
      button.setAttribute('aria-label', button.title);
      button.textContent = '→';
      return button;
    },
    gutter: true,
    collapseUnchanged: { margin: 3, minSize: 8 },
    // Of two large files that have little in common, a good answer in time.
    diffConfig: { scanLimit: 2000, timeout: 500 }
  });
  return {
    text: () => view.b.state.doc.toString(),
    focus: () => view.b.focus(),
    dispose: () => view.destroy()
  };
}
