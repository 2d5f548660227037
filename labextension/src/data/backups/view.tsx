import { addIcon, Button, downloadIcon, fileUploadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { BackupsView, BackupView, PreviousView } from '../../api/types';
import { Empty } from '../../common/empty';
import { ago, bytes, moment } from '../../common/format';
import { Loaded } from '../../common/loaded';
import type { TranslationBundle } from '../../common/translation';
import { useOpened } from '../forms';
import type { IPage } from '../page';
import { RunView } from '../runView';
import { backUp, remove, restore, undo } from './actions';
import { UploadForm } from './uploadForm';

/** Backups: what there is, a new one, one from elsewhere, and the way back to one. */
export function BackupsTab(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const form = useOpened<'upload'>();
  const run = model.runs.backups;
  return (
    <Loaded resource={model.backups} trans={trans} label={trans.__('Asking for backups')}>
      {view => (
        <div className="gf-Backups">
          <p className="gf-Quiet">{nightlyWord(view, trans)}</p>
          <div className="gf-Bar">
            <Button
              className="gf-Action gf-mod-primary"
              disabled={run.isRunning}
              onClick={() => void backUp(page)}
            >
              <addIcon.react tag="span" className="gf-Icon" />
              {model.branch ? trans.__('Back up the branch %1 now', model.branch) : trans.__('Back up now')}
            </Button>
            <Button
              className="gf-Action"
              aria-expanded={form.opened === 'upload'}
              onClick={form.open('upload')}
            >
              <fileUploadIcon.react tag="span" className="gf-Icon" />
              {trans.__('Upload a backup')}
            </Button>
          </div>
          {form.opened === 'upload' && <UploadForm page={page} onClose={form.close} />}
          <RunView page={page} run={run} />
          {view.previous.map(previous => (
            <Previous key={previous.name} page={page} previous={previous} />
          ))}
          {view.backups.length === 0 ? (
            <Empty title={trans.__('No backups yet')}>
              <p>
                {trans.__(
                  'Each is one file: the whole database as it is at one moment, checked by its hashes.'
                )}
              </p>
            </Empty>
          ) : (
            <BackupTable page={page} backups={view.backups} />
          )}
        </div>
      )}
    </Loaded>
  );
}

/** What a restore or a promotion replaced: it can come back for a while. */
function Previous(props: { page: IPage; previous: PreviousView }): React.ReactElement {
  const { page, previous } = props;
  const { trans, model } = page;
  const what = previous.branch
    ? trans.__(
        'The branch %1 as it was before, replaced %2, can come back until %3.',
        previous.branch,
        ago(previous.replaced_at),
        moment(previous.until)
      )
    : trans.__(
        'What was there before, replaced %1, can come back until %2.',
        ago(previous.replaced_at),
        moment(previous.until)
      );
  return (
    <div className="gf-Previous">
      <p>
        {what} <code className="gf-Quiet">{previous.name}</code>
      </p>
      <Button
        className="gf-Action"
        aria-label={trans.__('Bring %1 back', previous.name)}
        disabled={model.runs.backups.isRunning}
        onClick={() => void undo(page, previous)}
      >
        {trans.__('Bring it back')}
      </Button>
    </div>
  );
}

function BackupTable(props: { page: IPage; backups: ReadonlyArray<BackupView> }): React.ReactElement {
  const { page, backups } = props;
  const { trans, model } = page;
  return (
    <div className="gf-Scroll">
      <table className="gf-Table">
        <caption className="gf-hidden">{trans.__('Backups, the latest first')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Of the moment')}</th>
            <th scope="col">{trans.__('Kind')}</th>
            <th scope="col" className="gf-mod-number">
              {trans.__('Documents')}
            </th>
            <th scope="col" className="gf-mod-number">
              {trans.__('File')}
            </th>
            <th scope="col" className="gf-mod-actions">
              <span className="gf-hidden">{trans.__('Actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {backups.map(backup => {
            const name = moment(backup.created_at);
            return (
              <tr key={backup.id}>
                <th scope="row">
                  {name} <span className="gf-Quiet">{ago(backup.created_at)}</span>
                  {(backup.notes ?? []).map(note => (
                    <p key={note} className="gf-Quiet">
                      {note}
                    </p>
                  ))}
                </th>
                <td>
                  {kindWord(backup, trans)}
                  {backup.branch && <span className="gf-Tag">{backup.branch}</span>}
                  {backup.elsewhere && (
                    <span className="gf-Tag">{trans.__('of %1, from elsewhere', backup.user)}</span>
                  )}
                </td>
                <td className="gf-mod-number" title={backup.collections.join(', ')}>
                  {backup.documents.toLocaleString()}
                </td>
                <td className="gf-mod-number">{bytes(backup.file_bytes)}</td>
                <td className="gf-mod-actions">
                  <div className="gf-Actions">
                    <a
                      className="gf-Action gf-mod-small"
                      href={model.client.url(`/api/database/backups/${backup.id}/content`)}
                      download
                      aria-label={trans.__('Download the backup of %1', name)}
                    >
                      <downloadIcon.react tag="span" className="gf-Icon" />
                      {trans.__('Download')}
                    </a>
                    <Button
                      className="gf-Action gf-mod-small"
                      aria-label={trans.__('Restore the backup of %1', name)}
                      disabled={model.runs.backups.isRunning}
                      onClick={() => void restore(page, backup)}
                    >
                      {trans.__('Restore')}
                    </Button>
                    <Button
                      className="gf-Action gf-mod-small"
                      aria-label={trans.__('Delete the backup of %1', name)}
                      onClick={() => void remove(page, backup)}
                    >
                      {trans.__('Delete')}
                    </Button>
                  </div>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function nightlyWord(view: BackupsView, trans: TranslationBundle): string {
  return view.nightly_at
    ? trans.__(
        'Each night at %1 a backup is made by itself; the last %2 of those stay. Those you make stay until you delete them. They lie on this machine: copy the files elsewhere, too.',
        view.nightly_at,
        view.nightly_kept
      )
    : trans.__('No backup is made by itself here. They lie on this machine: copy the files elsewhere, too.');
}

function kindWord(backup: BackupView, trans: TranslationBundle): string {
  return {
    manual: trans.__('made by you'),
    nightly: trans.__('nightly'),
    uploaded: trans.__('uploaded')
  }[backup.kind];
}
