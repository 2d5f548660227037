import { Button, historyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { VersionView } from '../../api/types';
import { ago, bytes, moment } from '../../common/format';
import { notifyUndo } from '../../common/notify';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { Empty } from '../../common/empty';
import { Loaded } from '../../common/loaded';
import { Stages } from '../parts/stages';
import { Changes } from './changes';
import { VersionFiles } from './versionFiles';

/** The app's versions, beside them what stands in one or what changed. */
export function HistoryView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const { history } = model;
  const { looking, run } = history;
  useSignal(history.changed);
  useSignal(run.changed);
  return (
    <div className="gf-History">
      <Stages
        run={run}
        page={page}
        stages={['validate', 'release', 'start', 'ready', 'live']}
        label={trans.__('Roll back')}
        done={trans.__('Version %1 is live.', run.end?.version ?? '')}
        consequence={trans.__('The rollback failed. What was live before goes on.')}
        onRetry={() => void history.retry()}
      />
      <Loaded resource={history.versions} trans={trans} label={trans.__('Asking for the versions')}>
        {versions =>
          versions.length === 0 ? (
            <Empty title={trans.__('No versions yet')}>
              <p>
                {trans.__('Each deploy makes one. The last ones are kept, to look at and to go back to.')}
              </p>
            </Empty>
          ) : (
            <div className="gf-History-columns">
              <ol className="gf-History-list" aria-label={trans.__('Versions')}>
                {versions.map(version => (
                  <li key={version.number}>
                    <VersionItem version={version} page={page} />
                  </li>
                ))}
              </ol>
              <div className="gf-History-detail">
                {looking === null ? (
                  <Empty title={trans.__('Choose a version')}>
                    <p>{trans.__('What changed in it, or its files, are shown here.')}</p>
                  </Empty>
                ) : looking.kind === 'files' ? (
                  <VersionFiles page={page} number={looking.number} />
                ) : (
                  <Changes page={page} versions={versions} from={looking.from} to={looking.to} />
                )}
              </div>
            </div>
          )
        }
      </Loaded>
    </div>
  );
}

function VersionItem(props: { version: VersionView; page: IPage }): React.ReactElement {
  const { version, page } = props;
  const { trans, model } = page;
  const { history } = model;
  const { number } = version;
  const { looking } = history;
  const isLookedAt = looking !== null && (looking.kind === 'files' ? looking.number : looking.to) === number;
  return (
    <article
      className={`gf-Version ${isLookedAt ? 'gf-mod-open' : ''}`}
      aria-label={trans.__('Version %1', number)}
    >
      <div className="gf-Version-head">
        <strong>{trans.__('Version %1', number)}</strong>
        {version.state === 'live' && <span className="gf-Tag gf-mod-good">{trans.__('live')}</span>}
        {version.state === 'failed' && <span className="gf-Tag gf-mod-bad">{trans.__('failed')}</span>}
        <span className="gf-Quiet" title={moment(version.created_at)}>
          {ago(version.created_at)}
        </span>
      </div>
      {version.message && <p className="gf-Version-message">{version.message}</p>}
      <p className="gf-Quiet">
        {trans.__('%1, %2, %3', version.created_by, filesWord(version, page), bytes(version.size_bytes))}
      </p>
      <div className="gf-Version-actions">
        <Button className="gf-Action gf-mod-small" onClick={() => history.lookAt(number)}>
          {trans.__('Changes')}
        </Button>
        <Button className="gf-Action gf-mod-small" onClick={() => history.look({ kind: 'files', number })}>
          {trans.__('Files')}
        </Button>
        {version.state === 'superseded' && (
          <Button
            className="gf-Action gf-mod-small"
            aria-label={trans.__('Roll back to version %1', number)}
            disabled={history.run.isRunning}
            onClick={() => void rollBack(page, number)}
          >
            <historyIcon.react tag="span" className="gf-Icon" />
            {trans.__('Roll back')}
          </Button>
        )}
      </div>
    </article>
  );
}

function filesWord(version: VersionView, page: IPage): string {
  return page.trans._n('%1 file', '%1 files', version.files.length);
}

/** Bring an old version live again. Undone by going forward to what was live before. */
async function rollBack(page: IPage, number: number): Promise<void> {
  const { model, trans } = page;
  const before = model.history.live;
  const end = await model.history.rollBack(number);
  if (end?.stage === 'live' && before !== undefined && before !== number) {
    notifyUndo(
      trans.__('%1 is back at version %2, as version %3.', model.app, number, end.version ?? ''),
      trans,
      () => {
        void model.history.rollBack(before);
      }
    );
  }
}
