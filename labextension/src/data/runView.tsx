import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { DataProgress } from '../api/types';
import { seconds } from '../common/format';
import { ErrorNotice, Notice } from '../common/notice';
import { useSignal } from '../common/useSignal';
import type { TranslationBundle } from '../common/translation';
import type { IPage } from './page';
import type { DataRun } from './run';

/** Work on the whole database: how far it is, which apps moved, and how it ended. */
export function RunView(props: { page: IPage; run: DataRun }): React.ReactElement | null {
  const { page, run } = props;
  const { trans } = page;
  useSignal(run.changed);
  if (!run.title) {
    return null;
  }
  const { progress, moves, error } = run;
  const stayed = moves.filter(move => !move.moved);
  return (
    <section className="gf-Run" aria-label={run.title}>
      {run.isRunning && (
        <>
          <progress
            className="gf-Progress"
            aria-label={run.title}
            max={progress?.of_documents ?? undefined}
            value={progress?.of_documents ? (progress.documents ?? 0) : undefined}
          />
          <p role="status">
            {run.title}: {progress ? stageWord(progress, trans) : trans.__('begins')}
          </p>
        </>
      )}
      {error != null && <ErrorNotice error={error} trans={trans} onRetry={run.retry ?? undefined} />}
      {run.end && (
        <Notice kind={stayed.length > 0 ? 'warning' : 'info'}>
          <p>
            {stayed.length > 0
              ? trans.__('%1: done, but not every app moved. Mend it and deploy it again.', run.title)
              : trans.__('%1: done.', run.title)}
          </p>
        </Notice>
      )}
      {moves.length > 0 && (
        <ul className="gf-Run-moves" aria-label={trans.__('Apps')}>
          {moves.map(move => (
            <li key={move.app}>
              <strong>{move.app}</strong>{' '}
              {move.moved
                ? move.seconds == null
                  ? trans.__('moved over')
                  : trans.__('moved over in %1', seconds(move.seconds))
                : trans.__('stayed with what it had: %1', move.reason ?? '')}
            </li>
          ))}
        </ul>
      )}
      {!run.isRunning && (
        <Button className="gf-Action gf-mod-small" onClick={() => run.clear()}>
          {trans.__('Close')}
        </Button>
      )}
    </section>
  );
}

function stageWord(line: DataProgress, trans: TranslationBundle): string {
  const documents = line.documents == null ? '' : trans._n('%1 document', '%1 documents', line.documents);
  const what = [line.collection, documents].filter(Boolean).join(', ');
  switch (line.stage) {
    case 'check':
      return trans.__('checking that it can be done');
    case 'copy':
      return trans.__('reading %1', what);
    case 'load':
      return trans.__('loading %1', what);
    case 'switch':
      return trans.__('switching over');
    case 'app':
      return trans.__('apps move over');
    default:
      return trans.__('nearly done');
  }
}
