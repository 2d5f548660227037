import type { CommandRegistry } from '@lumino/commands';

import type { AppActions } from '../apps/actions';
import type { TranslationBundle } from '../common/translation';
import type { AppPageModel } from './model';
import type { LoadEditor } from '../common/code';

/** What every view of the page works with. */
export interface IPage {
  readonly model: AppPageModel;
  readonly trans: TranslationBundle;
  readonly commands: CommandRegistry;
  /** What a person may do to the app, with its questions and ways back. */
  readonly actions: AppActions;
  /** CodeMirror, which is loaded when the first code is shown. */
  readonly loadEditor: LoadEditor;
}

/** Where the person's browser reaches the app. */
export function addressOf({ model }: IPage): string {
  return model.client.appUrl({ id: model.app, url: model.entry?.view.url });
}
