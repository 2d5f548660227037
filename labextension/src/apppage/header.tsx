import {
  Button,
  copyIcon,
  editIcon,
  folderIcon,
  launchIcon,
  refreshIcon,
  runIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { AppView } from '../api/types';
import { deployWord, stateWord } from '../apps/words';
import { CommandIDs } from '../commands';
import { ago, moment } from '../common/format';
import type { TranslationBundle } from '../common/translation';
import { useSignal } from '../common/useSignal';
import { addressOf, type IPage } from './page';

/** Which app it is, how it is, and what is done with it most. */
export function Header(props: { page: IPage; view: AppView }): React.ReactElement {
  const { page, view } = props;
  const { trans, commands, actions } = page;
  const { deploys } = page.model.apps;
  useSignal(deploys.changed);
  const deploy = deploys.running.get(view.id);
  const isStopped = view.state === 'stopped' || view.state === 'failed';
  const address = addressOf(page);
  return (
    <header className="gf-PageHeader">
      <div className="gf-PageHeader-what">
        <div className="gf-PageHeader-names">
          <h1 className="gf-PageHeader-title">{view.title}</h1>
          {view.title !== view.id && <span className="gf-PageHeader-id">{view.id}</span>}
          <StateBadge view={view} trans={trans} />
        </div>
        <p className="gf-PageHeader-facts">
          {view.version != null && <span>{trans.__('Version %1', view.version)}</span>}
          {view.draft && view.code_state !== 'up_to_date' && (
            <span className="gf-PageHeader-changes" title={moment(view.draft.saved_at)}>
              {trans.__('Changes not deployed, saved %1', ago(view.draft.saved_at))}
            </span>
          )}
          {view.reason && <span>{view.reason}</span>}
          <span role="status">{deploy && deployWord(deploy, trans)}</span>
        </p>
      </div>
      <div className="gf-PageHeader-actions">
        {view.version != null && !isStopped && (
          <a className="gf-Action gf-mod-primary" href={address} target="_blank" rel="noreferrer">
            <launchIcon.react tag="span" className="gf-Icon" />
            {trans.__('Open')}
          </a>
        )}
        {view.version != null && isStopped && (
          <Button
            className="gf-Action gf-mod-primary"
            disabled={deploy !== undefined}
            onClick={() => void actions.start(view.id)}
          >
            <runIcon.react tag="span" className="gf-Icon" />
            {trans.__('Start')}
          </Button>
        )}
        {view.draft && view.code_state !== 'up_to_date' && commands.hasCommand(CommandIDs.deployDraft) && (
          <Button
            className="gf-Action"
            disabled={deploy !== undefined}
            onClick={() => void commands.execute(CommandIDs.deployDraft, { app: view.id })}
          >
            <runIcon.react tag="span" className="gf-Icon" />
            {trans.__('Deploy changes')}
          </Button>
        )}
        {view.version != null && (
          <Button className="gf-Action" onClick={() => actions.copyUrl(view)}>
            <copyIcon.react tag="span" className="gf-Icon" />
            {trans.__('Copy address')}
          </Button>
        )}
        {commands.hasCommand(CommandIDs.editCode) && (
          <Button
            className="gf-Action"
            onClick={() => void commands.execute(CommandIDs.editCode, { app: view.id })}
          >
            <editIcon.react tag="span" className="gf-Icon" />
            {trans.__('Edit code')}
          </Button>
        )}
        {commands.hasCommand(CommandIDs.openFiles) && (
          <Button
            className="gf-Action"
            onClick={() => void commands.execute(CommandIDs.openFiles, { app: view.id })}
          >
            <folderIcon.react tag="span" className="gf-Icon" />
            {trans.__('Files')}
          </Button>
        )}
        {view.version != null && !isStopped && (
          <Button
            className="gf-Action"
            disabled={deploy !== undefined}
            onClick={() => void actions.restart(view.id)}
          >
            <refreshIcon.react tag="span" className="gf-Icon" />
            {trans.__('Restart')}
          </Button>
        )}
      </div>
    </header>
  );
}

function StateBadge(props: { view: AppView; trans: TranslationBundle }): React.ReactElement {
  const { view, trans } = props;
  const health = view.health?.color ?? 'grey';
  // What is wrong with an app that runs is said by its health.
  const reason = view.state === 'running' && health !== 'green' ? view.health?.reason : undefined;
  return (
    <span className={`gf-State gf-mod-${view.state} gf-mod-health-${health}`} title={view.health?.reason}>
      <span className="gf-State-dot" aria-hidden="true" />
      {stateWord(view.state, trans)}
      {reason && <span className="gf-State-reason">{reason}</span>}
    </span>
  );
}
