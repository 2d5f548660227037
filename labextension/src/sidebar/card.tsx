import {
  Button,
  copyIcon,
  editIcon,
  ellipsesIcon,
  LabIcon,
  launchIcon,
  listIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { AppView } from '../api/types';
import type { IDeploy } from '../apps/deploys';
import type { AppsModel, IAppEntry } from '../apps/model';
import { deployWord, healthWord, stateWord } from '../apps/words';
import { CommandIDs } from '../commands';
import { Later } from '../common/busy';
import { count, milliseconds } from '../common/format';
import { Sparkline } from '../common/sparkline';
import type { TranslationBundle } from '../common/translation';

export interface IAppCardProps {
  entry: IAppEntry;
  /** What is being done to it from this page. */
  deploy: IDeploy | undefined;
  apps: AppsModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Whether it is the one card in the order of tabs. */
  active: boolean;
  onFocus: () => void;
  onKeyDown: (event: React.KeyboardEvent) => void;
  onMenu: (app: string, x: number, y: number) => void;
}

/** An app: how it is, in a glance, and what can be done. */
export function AppCard(props: IAppCardProps): React.ReactElement {
  const { entry, deploy, commands, trans, active, onMenu } = props;
  const { view } = entry;
  const args = { app: view.id };
  const open = () => {
    const id = commands.hasCommand(CommandIDs.openPage) ? CommandIDs.openPage : CommandIDs.openApp;
    void commands.execute(id, args);
  };
  const color = view.health?.color ?? 'grey';
  const figures = <Figures entry={entry} trans={trans} />;
  const trouble = color === 'red' || color === 'yellow' ? (view.health?.reason ?? view.reason) : null;
  return (
    <li
      className={`gf-App${active ? ' gf-mod-active' : ''}`}
      data-app={view.id}
      onFocus={props.onFocus}
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        onMenu(view.id, event.clientX, event.clientY);
      }}
    >
      <div className="gf-App-head">
        <span className="gf-Health" data-color={color} title={healthTitle(view, trans)} />
        <button
          className="gf-App-name"
          tabIndex={active ? 0 : -1}
          title={view.title === view.id ? view.id : `${view.title} (${view.id})`}
          aria-label={describe(entry, trans)}
          onClick={open}
          onKeyDown={props.onKeyDown}
        >
          {view.title}
        </button>
        {view.state !== 'running' && <span className="gf-App-state">{stateWord(view.state, trans)}</span>}
      </div>
      {view.version !== null && <Address {...props} />}
      {deploy ? (
        <Later meanwhile={figures}>
          <Deploying deploy={deploy} trans={trans} />
        </Later>
      ) : (
        figures
      )}
      {trouble && <p className="gf-App-trouble">{trouble}</p>}
      {view.code_state === 'not_deployed' && view.version !== null && (
        <p className="gf-App-note">{trans.__('Changes not deployed')}</p>
      )}
      <Actions {...props} />
    </li>
  );
}

/** A new app on its way to its first version. */
export function ComingCard(props: { deploy: IDeploy; trans: TranslationBundle }): React.ReactElement {
  return (
    <li className="gf-App">
      <div className="gf-App-head">
        <span className="gf-Health" data-color="grey" />
        <span className="gf-App-name">{props.deploy.app}</span>
      </div>
      <Deploying {...props} />
    </li>
  );
}

function Deploying(props: { deploy: IDeploy; trans: TranslationBundle }): React.ReactElement {
  const words = deployWord(props.deploy, props.trans);
  return (
    <div className="gf-App-deploying" role="status">
      <div className="gf-Busy-bar" />
      {words}
    </div>
  );
}

/** Where it is, to click on. */
function Address(props: IAppCardProps): React.ReactElement {
  const { entry, apps, commands, active } = props;
  const url = apps.client.appUrl(entry.view);
  return (
    <a
      className="gf-App-address"
      href={url}
      target="_blank"
      rel="noopener"
      tabIndex={active ? 0 : -1}
      onClick={event => {
        event.preventDefault();
        void commands.execute(CommandIDs.openApp, { app: entry.view.id });
      }}
    >
      {url.replace(/^https?:\/\//, '').replace(/\/$/, '')}
    </a>
  );
}

function Figures(props: IAppEntryProps): React.ReactElement {
  const { view, numbers } = props.entry;
  const { trans } = props;
  if (!numbers?.requests) {
    const words =
      view.version === null ? trans.__('Saved, and not deployed yet') : trans.__('No requests in 24 h');
    return <p className="gf-App-figures">{words}</p>;
  }
  const {
    requests,
    server_errors: errors = 0,
    client_errors: refused = 0,
    latency_ms: latency,
    hourly = []
  } = numbers;
  const title = trans.__(
    'In the last 24 hours: %1 requests, %2 failed, %3 refused (4xx)',
    requests,
    errors,
    refused
  );
  return (
    <div className="gf-App-figures" title={title}>
      <span className="gf-Figure">
        <b>{count(requests)}</b> {trans._n('request', 'requests', requests)}
      </span>
      <span className={`gf-Figure${errors ? ' gf-mod-bad' : ''}`}>
        <b>{count(errors)}</b> {trans._n('error', 'errors', errors)}
      </span>
      {latency !== null && latency !== undefined && (
        <span className="gf-Figure">
          <b>{milliseconds(latency)}</b>
        </span>
      )}
      <Sparkline values={hourly} />
    </div>
  );
}

interface IAppEntryProps {
  entry: IAppEntry;
  trans: TranslationBundle;
}

function Actions(props: IAppCardProps): React.ReactElement {
  const { entry, commands, trans, active, onMenu } = props;
  const { view } = entry;
  const { id } = view;
  const verbs: [string, LabIcon][] = [
    [CommandIDs.openApp, launchIcon],
    [CommandIDs.copyUrl, copyIcon],
    [CommandIDs.editCode, editIcon],
    [CommandIDs.showLogs, listIcon],
    [
      view.target === 'stopped' ? CommandIDs.start : CommandIDs.stop,
      view.target === 'stopped' ? runIcon : stopIcon
    ]
  ];
  return (
    <div className="gf-App-actions" role="group" aria-label={trans.__('Actions on %1', id)}>
      {verbs
        .filter(([command]) => commands.isVisible(command, { app: id, menu: true }))
        // What needs a version only takes the room of the name before there is one.
        .filter(([command]) => view.version !== null || commands.isEnabled(command, { app: id }))
        .map(([command, icon]) => {
          const label = commands.label(command, { app: id });
          return (
            <Button
              key={command}
              className="jp-mod-minimal gf-IconButton"
              title={label}
              aria-label={`${label} ${id}`}
              tabIndex={active ? 0 : -1}
              disabled={!commands.isEnabled(command, { app: id })}
              onClick={() => void commands.execute(command, { app: id })}
            >
              <icon.react tag="span" />
            </Button>
          );
        })}
      <Button
        className="jp-mod-minimal gf-IconButton"
        title={trans.__('More')}
        aria-label={trans.__('More actions on %1', id)}
        aria-haspopup="menu"
        tabIndex={active ? 0 : -1}
        onClick={event => {
          const box = event.currentTarget.getBoundingClientRect();
          onMenu(id, box.left, box.bottom);
        }}
      >
        <ellipsesIcon.react tag="span" />
      </Button>
    </div>
  );
}

function healthTitle(view: AppView, trans: TranslationBundle): string {
  const word = healthWord(view.health?.color ?? 'grey', trans);
  return view.health ? `${word}: ${view.health.reason}` : word;
}

/** A card in a sentence, for those who hear it. */
function describe(entry: IAppEntry, trans: TranslationBundle): string {
  const { view, numbers } = entry;
  const parts = [view.title, stateWord(view.state, trans), healthWord(view.health?.color ?? 'grey', trans)];
  if (numbers?.requests) {
    parts.push(
      trans.__('%1 requests and %2 errors in 24 hours', numbers.requests, numbers.server_errors ?? 0)
    );
  }
  return parts.join(', ');
}
