import { LanguageSupport } from '@codemirror/language';
import { MergeView } from '@codemirror/merge';
import { EditorState, Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';

import type { IShownCode } from './code';

/** Show a file, to read. */
export async function showFile(
  host: HTMLElement,
  text: string,
  options: { path: string; label: string; languages: IEditorLanguageRegistry | null }
): Promise<IShownCode> {
  const extensions = await reading(options.path, options.label, options.languages);
  const view = new EditorView({ parent: host, state: EditorState.create({ doc: text, extensions }) });
  return { views: [view], dispose: () => view.destroy() };
}

/** Show two texts side by side, what differs marked and the rest folded. */
export async function showDiff(
  host: HTMLElement,
  texts: { old: string; new: string },
  options: { path: string; labels: { old: string; new: string }; languages: IEditorLanguageRegistry | null }
): Promise<IShownCode> {
  const { path, labels, languages } = options;
  const [old, after] = await Promise.all([
    reading(path, labels.old, languages),
    reading(path, labels.new, languages)
  ]);
  const view = new MergeView({
    parent: host,
    a: { doc: texts.old, extensions: old },
    b: { doc: texts.new, extensions: after },
    collapseUnchanged: { margin: 3, minSize: 6 },
    gutter: true,
    // Of two large files that have little in common, a good answer in time.
    diffConfig: { scanLimit: 2000, timeout: 500 }
  });
  return { views: [view.a, view.b], dispose: () => view.destroy() };
}

/** What every text that is only read has. */
export async function reading(
  path: string,
  label: string,
  languages: IEditorLanguageRegistry | null
): Promise<Extension[]> {
  return [
    lineNumbers(),
    jupyterTheme,
    EditorState.readOnly.of(true),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true' }),
    ...(await languageOf(path, languages))
  ];
}

/** How the text of a file is coloured. */
export async function languageOf(
  path: string,
  languages: IEditorLanguageRegistry | null
): Promise<Extension[]> {
  const found = languages?.findByFileName(path.split('/').at(-1) ?? path);
  if (!found || !languages) {
    return [];
  }
  const language = await languages.getLanguage(found.name);
  return language?.support instanceof LanguageSupport ? [language.support] : [];
}
