import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import { NotebookActions } from '@jupyterlab/notebook';

import { crc32, readCell, type ICellCode } from './cell';
import { DEPLOYED_KEY, reportsOf } from './cells';
import type { IDeployed } from './findings';

const WENT_LIVE = new Set(['live', 'unchanged']);

/**
 * Note in the metadata of each cell that is run from here with which arguments it went live. The kernel could not tell:
 * it sees them only after IPython has put the values of variables into them.
 */
export function noteDeployed(): void {
  const sent = new WeakMap<Cell['model'], ICellCode | null>();
  NotebookActions.executionScheduled.connect((_, { cell: { model } }) => {
    sent.set(model, readCell(model.sharedModel.getSource()));
  });
  NotebookActions.executed.connect((_, { cell: { model } }) => {
    const code = sent.get(model);
    const report = code && reportsOf(model as ICodeCellModel).at(-1);
    if (report && report.app === code.app && report.version !== null && WENT_LIVE.has(report.ending)) {
      const noted: IDeployed = { app: report.app, version: report.version, arguments: crc32(code.arguments) };
      model.setMetadata(DEPLOYED_KEY, { ...noted });
    }
  });
}
