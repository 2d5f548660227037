import type { EditorView } from '@codemirror/view';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

import type { TranslationBundle } from './translation';

/** The part of a page that needs CodeMirror. */
export type EditorModule = typeof import('./editor');
export type LoadEditor = () => Promise<{ editor: EditorModule; languages: IEditorLanguageRegistry | null }>;

/** What a view needs to show code. */
export interface ICodePlace {
  readonly trans: TranslationBundle;
  /** CodeMirror, which is loaded when the first code is shown. */
  readonly loadEditor: LoadEditor;
}

/** Something of CodeMirror in the page, to be taken out again. */
export interface IShownCode {
  dispose(): void;
  readonly views: ReadonlyArray<EditorView>;
}
