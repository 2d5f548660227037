import { launchIcon, listIcon, runIcon, type LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { messageOf } from '../api/errors';
import { gofastapiIcon } from '../common/icons';
import type { TranslationBundle } from '../common/translation';
import type { IFinding } from './findings';
import type { ICellState } from './model';
import { comparedWords, shownState } from './words';

/** What the status line can do; null where it cannot. */
export interface IStatusActions {
  deploy: (() => void) | null;
  open: (() => void) | null;
  logs: (() => void) | null;
  /** Show all there is on the app. */
  page: (() => void) | null;
  jump: (finding: IFinding) => void;
  retry: () => void;
}

/** The line below a cell: how its app is, whether the cell is what is live, and what one may do. */
export function Status(props: {
  state: ICellState;
  actions: IStatusActions;
  trans: TranslationBundle;
}): React.ReactElement {
  const { state, actions, trans } = props;
  const { code, findings } = state;
  const shown = shownState(state, trans);
  const compared = comparedWords(state, trans);
  const pending = state.compared.is === 'changed' || state.compared.is === 'none';
  const unknown = state.error !== null && state.entry === undefined;
  return (
    <>
      <div className="gf-CellStatus-line">
        <span className="gf-CellStatus-state" role="status" title={shown.more || undefined}>
          <span className={`gf-CellStatus-dot gf-mod-${unknown ? 'idle' : shown.mod}`} aria-hidden="true" />
          <AppName app={code.app} open={actions.page} trans={trans} />
          {!unknown && <span className="gf-CellStatus-words">{shown.words}</span>}
          {compared && (
            <span
              className={`gf-CellStatus-compared${state.compared.is === 'same' ? '' : ' gf-mod-pending'}`}
            >
              {compared}
            </span>
          )}
        </span>
        {unknown ? (
          <span className="gf-CellStatus-buttons">
            <span className="gf-CellStatus-problem">{messageOf(state.error)}</span>
            <Action label={trans.__('Try again')} onClick={actions.retry} />
          </span>
        ) : (
          <span className="gf-CellStatus-buttons">
            {actions.deploy && pending && !state.isRunning && (
              <Action
                label={trans.__('Deploy')}
                title={trans.__('Run this cell, and take %1 live', code.app)}
                icon={runIcon}
                onClick={actions.deploy}
              />
            )}
            {actions.open && (
              <Action
                label={trans.__('Open')}
                title={trans.__('Open %1 in the browser', code.app)}
                icon={launchIcon}
                onClick={actions.open}
              />
            )}
            {actions.logs && (
              <Action
                label={trans.__('Logs')}
                title={trans.__('Show the log of %1', code.app)}
                icon={listIcon}
                onClick={actions.logs}
              />
            )}
          </span>
        )}
      </div>
      <Problems state={state} findings={findings} jump={actions.jump} trans={trans} />
    </>
  );
}

/** What is wrong, in a line each; the first ones, for there may be many. */
function Problems(props: {
  state: ICellState;
  findings: ReadonlyArray<IFinding>;
  jump: (finding: IFinding) => void;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { state, findings, jump, trans } = props;
  const MOST = 3;
  const shown = findings.slice(0, MOST);
  const alone = state.failure !== null && !findings.some(each => each.message === state.failure);
  if (state.isRunning || (shown.length === 0 && !alone)) {
    return null;
  }
  return (
    <ul className="gf-CellStatus-problems" aria-label={trans.__('Problems of %1', state.code.app)}>
      {alone && (
        <li className="gf-CellStatus-problem gf-mod-error">{trans.__('Not deployed: %1', state.failure!)}</li>
      )}
      {shown.map(finding => (
        <li key={finding.key}>
          <button
            type="button"
            className={`gf-CellStatus-problem gf-mod-${finding.severity}`}
            title={finding.hint ?? undefined}
            onClick={() => jump(finding)}
          >
            <span className="gf-CellStatus-at">{trans.__('Line %1', finding.line)}</span>
            <span className="gf-CellStatus-what">{finding.message.split('\n')[0]}</span>
            {finding.error && (
              <span className="gf-CellStatus-times">
                {trans._n('%1 time', '%1 times', finding.error.count)}
              </span>
            )}
          </button>
        </li>
      ))}
      {findings.length > MOST && (
        <li className="gf-CellStatus-rest">
          {trans._n('and %1 more', 'and %1 more', findings.length - MOST)}
        </li>
      )}
    </ul>
  );
}

function AppName(props: {
  app: string;
  open: (() => void) | null;
  trans: TranslationBundle;
}): React.ReactElement {
  const { app, open, trans } = props;
  return open ? (
    <button type="button" className="gf-CellStatus-app" title={trans.__('All about %1', app)} onClick={open}>
      {app}
    </button>
  ) : (
    <span className="gf-CellStatus-app">{app}</span>
  );
}

function Action(props: {
  label: string;
  title?: string;
  icon?: LabIcon;
  onClick: () => void;
}): React.ReactElement {
  const Icon = props.icon ?? gofastapiIcon;
  return (
    <button type="button" className="gf-CellStatus-action" title={props.title} onClick={props.onClick}>
      {props.icon && <Icon.react tag="span" className="gf-CellStatus-icon" width="14px" height="14px" />}
      {props.label}
    </button>
  );
}
