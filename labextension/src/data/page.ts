import type { CommandRegistry } from '@lumino/commands';

import type { ICodePlace } from '../common/code';
import type { DataModel } from './model';

/** What every view of the page works with. */
export interface IPage extends ICodePlace {
  readonly model: DataModel;
  readonly commands: CommandRegistry;
  /** The page's id in the document, for ids of parts of it. */
  readonly id: string;
}
