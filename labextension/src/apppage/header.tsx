import {
  Button,
  copyIcon,
  editIcon,
  folderIcon,
  type LabIcon,
  launchIcon,
  refreshIcon,
  runIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { AppView } from '../api/types';
import { deployWord, stateWord } from '../apps/words';
import { CommandIDs } from '../commands';
import { Later } from '../common/busy';
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
  const has = (command: string) => commands.hasCommand(command);
  const run = (command: string) => void commands.execute(command, { app: view.id });
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
              {view.version == null
                ? trans.__('Saved %1', ago(view.draft.saved_at))
                : trans.__('Changes not deployed, saved %1', ago(view.draft.saved_at))}
            </span>
          )}
          {view.workers > 1 && <span>{workersWord(view, trans)}</span>}
          {view.reason && view.state !== 'running' && <span>{view.reason}</span>}
          <span role="status">{deploy && <Later>{deployWord(deploy, trans)}</Later>}</span>
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
          <Act
            icon={runIcon}
            label={trans.__('Start')}
            isPrimary
            isBusy={deploy !== undefined}
            onClick={() => void actions.start(view.id)}
          />
        )}
        {view.draft && view.code_state !== 'up_to_date' && has(CommandIDs.deployDraft) && (
          <Act
            icon={runIcon}
            label={view.version == null ? trans.__('Deploy') : trans.__('Deploy changes')}
            isPrimary={view.version == null}
            isBusy={deploy !== undefined}
            onClick={() => run(CommandIDs.deployDraft)}
          />
        )}
        {view.version != null && (
          <Act icon={copyIcon} label={trans.__('Copy address')} onClick={() => actions.copyUrl(view)} />
        )}
        {has(CommandIDs.editCode) && (
          <Act icon={editIcon} label={trans.__('Edit code')} onClick={() => run(CommandIDs.editCode)} />
        )}
        {has(CommandIDs.openFiles) && (
          <Act icon={folderIcon} label={trans.__('Files')} onClick={() => run(CommandIDs.openFiles)} />
        )}
        {view.version != null && !isStopped && (
          <Act
            icon={refreshIcon}
            label={trans.__('Restart')}
            isBusy={deploy !== undefined}
            onClick={() => void actions.restart(view.id)}
          />
        )}
      </div>
    </header>
  );
}

function Act(props: {
  icon: LabIcon;
  label: string;
  onClick: () => void;
  isPrimary?: boolean;
  /** Something else is under way that it would be in the way of. */
  isBusy?: boolean;
}): React.ReactElement {
  const { icon: Icon, label, onClick, isPrimary = false, isBusy = false } = props;
  return (
    <Button className={`gf-Action${isPrimary ? ' gf-mod-primary' : ''}`} disabled={isBusy} onClick={onClick}>
      <Icon.react tag="span" className="gf-Icon" />
      {label}
    </Button>
  );
}

/** How many processes serve it; of how many, where some are missing. */
function workersWord(view: AppView, trans: TranslationBundle): string {
  const serving = (view.instances ?? []).filter(instance => instance.state === 'serving').length;
  return serving === 0 || serving === view.workers
    ? trans.__('%1 workers', view.workers)
    : trans.__('%1 of %2 workers', serving, view.workers);
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
