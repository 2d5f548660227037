import type { CommandRegistry } from '@lumino/commands';

import type { TranslationBundle } from '../common/translation';
import type { AppPageModel } from './model';
import type { LoadEditor } from '../common/code';

/** What every view of the page works with. */
export interface IPage {
  readonly model: AppPageModel;
  readonly trans: TranslationBundle;
  readonly commands: CommandRegistry;
  /** CodeMirror, which is loaded when the first code is shown. */
  readonly loadEditor: LoadEditor;
}
