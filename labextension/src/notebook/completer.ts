import type { CompletionHandler, ICompletionContext, ICompletionProvider } from '@jupyterlab/completer';

import type { AppsModel } from '../apps/model';
import type { TranslationBundle } from '../common/translation';
import { complete, isMagicLine } from './magics';
import { appInWords } from './words';

/** Options and apps on the lines of magics, with what they mean; the kernel adds what only it knows. */
export class MagicCompletions implements ICompletionProvider {
  constructor(
    private readonly _apps: AppsModel,
    private readonly _trans: TranslationBundle
  ) {}

  readonly identifier = 'gofastapi:magics';
  /** Before the kernel's. */
  readonly rank = 700;

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    const { editor } = context;
    const line = editor?.getLine(editor.getCursorPosition().line) ?? '';
    return isMagicLine(line) || /^\s*%{1,2}\w+$/.test(line);
  }

  async fetch(
    request: CompletionHandler.IRequest
  ): Promise<CompletionHandler.ICompletionItemsReply<CompletionHandler.ICompletionItem>> {
    const { text, offset } = request;
    const begin = text.lastIndexOf('\n', offset - 1) + 1;
    const line = text.slice(begin).split('\n', 1)[0];
    if (!this._apps.isReady) {
      await this._apps.refresh();
    }
    const apps = this._apps.apps.map(({ view }) => ({ name: view.id, about: appInWords(view, this._trans) }));
    const found = complete(line, offset - begin, apps);
    return {
      start: begin + (found?.start ?? 0),
      end: begin + (found?.end ?? 0),
      items: (found?.items ?? []).map(item => ({
        label: item.text,
        insertText: item.text,
        type: item.kind,
        documentation: item.about
      }))
    };
  }
}
