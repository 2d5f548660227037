import type { EditorView } from '@codemirror/view';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

/** The part of the page that needs CodeMirror. */
export type EditorModule = typeof import('./editor');
export type LoadEditor = () => Promise<{ editor: EditorModule; languages: IEditorLanguageRegistry | null }>;

/** Something of CodeMirror in the page, to be taken out again. */
export interface IShownCode {
  dispose(): void;
  readonly views: ReadonlyArray<EditorView>;
}
