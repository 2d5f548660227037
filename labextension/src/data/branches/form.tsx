import * as React from 'react';

import { moment } from '../../common/format';
import { carryOut } from '../backups/actions';
import { CreateForm } from '../forms';
import type { IPage } from '../page';

/** How long a branch may live, as the API takes it. */
export const LIVES = ['1h', '8h', '24h', '3d', '7d', '30d'];

/** A new branch: its name, how long it lives, and what it is a copy of. */
export function BranchForm(props: { page: IPage; onClose: () => void }): React.ReactElement {
  const { page, onClose } = props;
  const { trans, model } = page;
  const { backups } = model;
  const [name, setName] = React.useState('');
  const [ttl, setTtl] = React.useState('24h');
  const [backup, setBackup] = React.useState('');

  React.useEffect(() => void backups.refresh(), [backups]);

  const create = (event: React.FormEvent) => {
    event.preventDefault();
    // How it goes on, and what is wrong with the name, is shown where the work is shown.
    void carryOut(page, model.runs.branches, {
      title: trans.__('The branch %1', name),
      path: '/api/database/branches',
      body: { name, ttl, backup: backup || null }
    }).then(end => end && onClose());
  };

  return (
    <CreateForm
      label={trans.__('A new branch')}
      trans={trans}
      canCreate={name !== '' && !model.runs.branches.isRunning}
      onSubmit={create}
      onClose={onClose}
    >
      <label className="gf-Field">
        <span>{trans.__('Name')}</span>
        <input
          className="jp-mod-styled gf-Input"
          autoFocus
          autoComplete="off"
          spellCheck={false}
          placeholder="try-it"
          value={name}
          onChange={event => setName(event.target.value)}
        />
      </label>
      <label className="gf-Field">
        <span>{trans.__('Lives for')}</span>
        <select
          className="jp-mod-styled gf-Select"
          value={ttl}
          onChange={event => setTtl(event.target.value)}
        >
          {LIVES.map(each => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </label>
      <label className="gf-Field">
        <span>{trans.__('A copy of')}</span>
        <select
          className="jp-mod-styled gf-Select"
          value={backup}
          onChange={event => setBackup(event.target.value)}
        >
          <option value="">{trans.__('The data as they are now')}</option>
          {(model.backups.value?.backups ?? []).map(each => (
            <option key={each.id} value={each.id}>
              {trans.__('The backup of %1', moment(each.created_at))}
            </option>
          ))}
        </select>
      </label>
    </CreateForm>
  );
}
