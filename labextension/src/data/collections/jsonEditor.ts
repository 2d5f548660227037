import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { linter, lintGutter } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { jupyterTheme } from '@jupyterlab/codemirror';

import type { IShownCode } from '../../common/code';

/** An editor of JSON, with what is wrong marked at its place. Tab goes on, so nobody is caught in it. */
export function showJson(
  host: HTMLElement,
  text: string,
  options: { label: string; onChange: (text: string) => void; onSave: () => void }
): IShownCode {
  const { label, onChange, onSave } = options;
  const save = () => {
    onSave();
    return true;
  };
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        json(),
        bracketMatching(),
        indentOnInput(),
        linter(jsonParseLinter()),
        lintGutter(),
        jupyterTheme,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of(update => update.docChanged && onChange(update.state.doc.toString())),
        keymap.of([{ key: 'Mod-Enter', run: save }, ...defaultKeymap, ...historyKeymap])
      ]
    })
  });
  view.focus();
  return { views: [view], dispose: () => view.destroy() };
}
