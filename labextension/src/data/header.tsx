import { Button, closeIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { DatabaseView } from '../api/types';
import { ago, bytes, moment, percent } from '../common/format';
import { Notice } from '../common/notice';
import { useSignal } from '../common/useSignal';
import type { IPage } from './page';

const MAIN = 'main';
/** From here on it is worth a thought. */
const NEARLY_FULL = 0.8;
/** What is less is nothing in words. */
const SHOWN_SHARE = 0.001;

/** Which database it is, and how much of what is allowed it holds. */
export function Header(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { model, trans } = page;
  useSignal(model.database.changed);
  useSignal(model.branches.changed);
  const view = model.database.value;
  return (
    <>
      <header className="gf-PageHeader">
        <div className="gf-PageHeader-what">
          <div className="gf-PageHeader-names">
            <h1 className="gf-PageHeader-title">{trans.__('Your data')}</h1>
            {view && <span className="gf-PageHeader-id">{view.name}</span>}
          </div>
          <p className="gf-PageHeader-facts">
            {view && <span>{trans._n('%1 document', '%1 documents', view.documents)}</span>}
            {view?.expires_at && (
              <span title={moment(view.expires_at)}>
                {trans.__('This branch goes by itself %1', ago(view.expires_at))}
              </span>
            )}
          </p>
        </div>
        {view && <Meter page={page} view={view} />}
        <div className="gf-PageHeader-actions">
          <BranchPick page={page} />
          <Button
            className="jp-mod-minimal gf-IconButton"
            title={trans.__('Read again')}
            aria-label={trans.__('Read again')}
            onClick={() => {
              model.refresh();
              model.collection?.refresh();
            }}
          >
            <refreshIcon.react tag="span" />
          </Button>
        </div>
      </header>
      {view?.over_limit && <OverLimit page={page} view={view} />}
      {model.notice && (
        <Notice kind="warning">
          <div className="gf-Data-notice">
            <p>
              {model.notice.app && <strong>{model.notice.app}: </strong>}
              {model.notice.message}
            </p>
            <Button
              className="jp-mod-minimal gf-IconButton"
              aria-label={trans.__('Dismiss')}
              onClick={() => model.tell(null)}
            >
              <closeIcon.react tag="span" />
            </Button>
          </div>
        </Notice>
      )}
    </>
  );
}

function Meter(props: { page: IPage; view: DatabaseView }): React.ReactElement {
  const { view } = props;
  const { trans } = props.page;
  const share = view.limit_bytes > 0 ? view.bytes / view.limit_bytes : 0;
  const level = view.over_limit || share > 1 ? 'gf-mod-bad' : share > NEARLY_FULL ? 'gf-mod-fair' : '';
  const text = trans.__('%1 of %2', bytes(view.bytes), bytes(view.limit_bytes));
  return (
    <div className={`gf-Meter ${level}`}>
      <div
        className="gf-Meter-bar"
        role="meter"
        aria-label={trans.__('Room that is used')}
        aria-valuemin={0}
        aria-valuemax={view.limit_bytes}
        aria-valuenow={Math.min(view.bytes, view.limit_bytes)}
        aria-valuetext={text}
      >
        <div className="gf-Meter-fill" style={{ width: `${Math.min(100, 100 * share)}%` }} />
      </div>
      <span className="gf-Meter-text">
        {text}{' '}
        {share >= SHOWN_SHARE && <span className="gf-Quiet">{percent(view.bytes, view.limit_bytes)}</span>}
      </span>
    </div>
  );
}

function OverLimit(props: { page: IPage; view: DatabaseView }): React.ReactElement {
  const { page, view } = props;
  const { trans, model } = page;
  const largest = [...view.collections].sort((one, other) => other.bytes - one.bytes)[0];
  return (
    <Notice kind="warning">
      <p>
        {trans.__(
          'The database is over its limit and takes no more writes. Reading and deleting go on; once it holds less than %1, writes are taken again within a minute.',
          bytes(view.writable_below_bytes)
        )}
      </p>
      {largest && (
        <p>
          {trans.__('Delete documents, or drop collections and indexes. The largest collection is')}{' '}
          <button type="button" className="gf-Link" onClick={() => model.openCollection(largest.name)}>
            {largest.name}
          </button>
          {trans.__(', with %1.', bytes(largest.bytes))}
        </p>
      )}
    </Notice>
  );
}

function BranchPick(props: { page: IPage }): React.ReactElement {
  const { model, trans } = props.page;
  const names = (model.branches.value ?? []).map(branch => branch.name);
  // One that is restored before the list is known is there, too.
  const all = model.branch && !names.includes(model.branch) ? [...names, model.branch] : names;
  return (
    <label className="gf-Pick">
      {trans.__('Branch')}
      <select
        className="jp-mod-styled gf-Select"
        value={model.branch ?? MAIN}
        onChange={event => model.openBranch(event.target.value === MAIN ? null : event.target.value)}
      >
        {[MAIN, ...all].map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
