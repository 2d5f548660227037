import { addIcon, Button, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { BranchView } from '../../api/types';
import { copy } from '../../common/clipboard';
import { Empty } from '../../common/empty';
import { ago, bytes, moment } from '../../common/format';
import { Loaded } from '../../common/loaded';
import { useOpened } from '../forms';
import type { IPage } from '../page';
import { RunView } from '../runView';
import { drop, extend, promote } from './actions';
import { BranchForm, LIVES } from './form';

/** Copies of the database to try things on: new ones, how long they live, and what becomes of them. */
export function BranchesTab(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const form = useOpened<'create'>();
  return (
    <Loaded resource={model.branches} trans={trans} label={trans.__('Asking for branches')}>
      {branches => (
        <div className="gf-Branches">
          <p className="gf-Quiet">
            {trans.__(
              'A branch is a copy of the database with credentials of its own, so an experiment never touches the data. It goes by itself when its time is over and no app runs on it.'
            )}
          </p>
          <div className="gf-Bar">
            <Button
              className="gf-Action"
              aria-expanded={form.opened === 'create'}
              onClick={form.open('create')}
            >
              <addIcon.react tag="span" className="gf-Icon" />
              {trans.__('New branch')}
            </Button>
          </div>
          {form.opened === 'create' && <BranchForm page={page} onClose={form.close} />}
          <RunView page={page} run={model.runs.branches} />
          {branches.length === 0 ? (
            <Empty title={trans.__('No branches yet')}>
              <p>{trans.__('Make one, deploy an app against it, and promote it or let it go.')}</p>
            </Empty>
          ) : (
            <ul className="gf-Branches-list" aria-label={trans.__('Branches')}>
              {branches.map(branch => (
                <li key={branch.name}>
                  <Branch page={page} branch={branch} />
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </Loaded>
  );
}

function Branch(props: { page: IPage; branch: BranchView }): React.ReactElement {
  const { page, branch } = props;
  const { trans, model } = page;
  const { name } = branch;
  const apps = branch.apps ?? [];
  const line = `%%deploy ${apps[0] ?? model.apps.apps[0]?.view.id ?? 'my-app'} --db-branch ${name}`;
  return (
    <article className="gf-Branch" aria-label={trans.__('Branch %1', name)}>
      <div className="gf-Branch-head">
        <h2 className="gf-Heading">{name}</h2>
        {branch.expired && <span className="gf-Tag gf-mod-warning">{trans.__('its time is over')}</span>}
        {model.branch === name && <span className="gf-Tag gf-mod-good">{trans.__('shown')}</span>}
      </div>
      <p className="gf-Quiet">
        {trans._n('%1 document', '%1 documents', branch.documents)}, {bytes(branch.bytes)},{' '}
        {trans.__('made %1', ago(branch.created_at))}
        {branch.expires_at && (
          <span title={moment(branch.expires_at)}>
            {', '}
            {branch.expired
              ? trans.__('goes as soon as no app runs on it')
              : trans.__('goes by itself %1', ago(branch.expires_at))}
          </span>
        )}
      </p>
      <p>
        {apps.length > 0
          ? trans.__('Apps on it: %1', apps.join(', '))
          : trans.__('No app is on it yet. Deploy one with this line:')}
      </p>
      <div className="gf-CopyLine">
        <code>{line}</code>
        <Button
          className="jp-mod-minimal gf-IconButton"
          title={trans.__('Copy')}
          aria-label={trans.__('Copy the line that deploys to %1', name)}
          onClick={() => copy(line, page)}
        >
          <copyIcon.react tag="span" />
        </Button>
      </div>
      <div className="gf-Bar">
        <Button
          className="gf-Action gf-mod-small"
          aria-label={trans.__('Look into %1', name)}
          disabled={model.branch === name}
          onClick={() => {
            model.openBranch(name);
            model.openTab('collections');
          }}
        >
          {trans.__('Look into it')}
        </Button>
        <label className="gf-Pick">
          <span className="gf-hidden">{trans.__('Let %1 live for', name)}</span>
          <select
            className="jp-mod-styled gf-Select"
            value=""
            onChange={event => event.target.value && void extend(page, branch, event.target.value)}
          >
            <option value="">{trans.__('Extend')}</option>
            {LIVES.map(ttl => (
              <option key={ttl} value={ttl}>
                {trans.__('%1 from now', ttl)}
              </option>
            ))}
          </select>
        </label>
        <Button
          className="gf-Action gf-mod-small"
          aria-label={trans.__('Promote %1', name)}
          disabled={model.runs.branches.isRunning}
          onClick={() => void promote(page, branch)}
        >
          {trans.__('Promote')}
        </Button>
        <Button
          className="gf-Action gf-mod-small gf-mod-danger"
          aria-label={trans.__('Drop %1', name)}
          onClick={() => void drop(page, branch)}
        >
          {trans.__('Drop')}
        </Button>
      </div>
    </article>
  );
}
