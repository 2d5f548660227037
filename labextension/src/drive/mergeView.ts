import { history, historyKeymap, defaultKeymap } from '@codemirror/commands';
import { goToNextChunk, goToPreviousChunk, MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';

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
  const { trans, languages } = options;
  const known = languages?.findByFileName(options.path);
  const language = known ? await languages!.getLanguage(known).catch(() => null) : null;
  const shared: Extension[] = [
    lineNumbers(),
    jupyterTheme,
    EditorView.lineWrapping,
    ...(language?.support ? [language.support] : [])
  ];
  const chunks = [
    { key: 'Alt-ArrowDown', run: goToNextChunk },
    { key: 'Alt-ArrowUp', run: goToPreviousChunk }
  ];
  const view = new MergeView({
    parent: options.parent,
    a: {
      doc: options.theirs,
      extensions: [
        ...shared,
        keymap.of(chunks),
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ 'aria-label': trans.__('Theirs, as it is saved') })
      ]
    },
    b: {
      doc: options.mine,
      extensions: [
        ...shared,
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
    collapseUnchanged: { margin: 3, minSize: 8 }
  });
  return {
    text: () => view.b.state.doc.toString(),
    focus: () => view.b.focus(),
    dispose: () => view.destroy()
  };
}
