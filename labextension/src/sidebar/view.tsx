import { addIcon, Button, HTMLSelect, InputGroup, refreshIcon } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { AppsModel } from '../apps/model';
import { CommandIDs } from '../commands';
import { Busy } from '../common/busy';
import { dataIcon } from '../common/icons';
import { ErrorNotice } from '../common/notice';
import type { TranslationBundle } from '../common/translation';
import { useSignal } from '../common/useSignal';
import { arrange, Sort, SORTS } from './arrange';
import { AppCard, ComingCard } from './card';
import { Empty } from './empty';

/** Fewer apps are seen at a glance. */
const FROM_WHICH_TO_SEARCH = 3;

export interface ISidebarProps {
  apps: AppsModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
  sort: Sort;
  onSort: (sort: Sort) => void;
  /** Open the menu of an app at a place of the page. */
  onMenu: (app: string, x: number, y: number) => void;
}

export function SidebarView(props: ISidebarProps): React.ReactElement {
  const { apps, commands, trans } = props;
  useSignal(apps.changed);
  useSignal(apps.deploys.changed);
  const deploying = [...apps.deploys.running.values()];
  const coming = deploying.filter(deploy => apps.get(deploy.app) === undefined);
  const isEmpty = apps.isReady && apps.apps.length === 0 && coming.length === 0;
  return (
    <div className="gf-Sidebar">
      <header className="gf-Sidebar-head">
        <h2 className="gf-Sidebar-title">{trans.__('Apps')}</h2>
        {apps.apps.length > 0 && <span className="gf-Sidebar-count">{apps.apps.length}</span>}
        <span className="gf-Sidebar-space" />
        <Button
          className="jp-mod-minimal gf-IconButton"
          title={trans.__('Your data')}
          aria-label={trans.__('Your data')}
          onClick={() => void commands.execute(CommandIDs.openData)}
        >
          <dataIcon.react tag="span" />
        </Button>
        <Button
          className="jp-mod-minimal gf-IconButton"
          title={trans.__('Refresh')}
          aria-label={trans.__('Refresh')}
          onClick={() => void commands.execute(CommandIDs.refresh)}
        >
          <refreshIcon.react tag="span" />
        </Button>
        <Button
          className="jp-mod-minimal gf-IconButton"
          title={trans.__('New app')}
          aria-label={trans.__('New app')}
          onClick={() => void commands.execute(CommandIDs.newApp)}
        >
          <addIcon.react tag="span" />
        </Button>
      </header>
      {apps.error !== null && (
        <ErrorNotice error={apps.error} trans={trans} onRetry={() => void apps.refresh()} />
      )}
      {!apps.isReady && apps.error === null && <Busy label={trans.__('Asking the service for your apps')} />}
      {isEmpty && apps.error === null && <Empty commands={commands} trans={trans} />}
      {coming.length > 0 && (
        <ul className="gf-Sidebar-apps" aria-label={trans.__('Being deployed')}>
          {coming.map(deploy => (
            <ComingCard key={deploy.app} deploy={deploy} trans={trans} />
          ))}
        </ul>
      )}
      {apps.apps.length > 0 && <AppList {...props} />}
    </div>
  );
}

function AppList(props: ISidebarProps): React.ReactElement {
  const { apps, commands, trans, sort, onSort, onMenu } = props;
  const [search, setSearch] = React.useState('');
  const [active, setActive] = React.useState<string | null>(null);
  const list = React.useRef<HTMLUListElement>(null);
  const shown = arrange(apps.apps, search, sort);
  // One card is in the order of tabs; arrows go from card to card.
  const current = shown.some(({ view }) => view.id === active) ? active : shown[0]?.view.id;

  const move = (event: React.KeyboardEvent, from: string) => {
    const index = shown.findIndex(({ view }) => view.id === from);
    const to = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: shown.length - 1
    }[event.key];
    const next = to === undefined ? undefined : shown[to];
    if (next) {
      event.preventDefault();
      setActive(next.view.id);
      list.current?.querySelector<HTMLElement>(`[data-app="${next.view.id}"] .gf-App-name`)?.focus();
    }
  };

  return (
    <>
      {apps.apps.length >= FROM_WHICH_TO_SEARCH && (
        <div className="gf-Sidebar-tools" role="search">
          <InputGroup
            type="search"
            rightIcon="ui-components:search"
            placeholder={trans.__('Search')}
            aria-label={trans.__('Search apps')}
            value={search}
            onChange={event => setSearch(event.currentTarget.value)}
          />
          <HTMLSelect
            className="gf-Sidebar-sort"
            aria-label={trans.__('Order')}
            title={trans.__('Order')}
            value={sort}
            onChange={event => onSort(event.target.value as Sort)}
            options={SORTS.map(value => ({ value, label: sortWord(value, trans) }))}
          />
        </div>
      )}
      <p className="gf-Hidden" role="status">
        {search && trans._n('%1 app found', '%1 apps found', shown.length)}
      </p>
      {shown.length === 0 && <p className="gf-Sidebar-nothing">{trans.__('No app is called like that.')}</p>}
      <ul className="gf-Sidebar-apps" ref={list} aria-label={trans.__('Apps')}>
        {shown.map(entry => (
          <AppCard
            key={entry.view.id}
            entry={entry}
            deploy={apps.deploys.running.get(entry.view.id)}
            apps={apps}
            commands={commands}
            trans={trans}
            active={entry.view.id === current}
            onFocus={() => setActive(entry.view.id)}
            onKeyDown={event => move(event, entry.view.id)}
            onMenu={onMenu}
          />
        ))}
      </ul>
    </>
  );
}

function sortWord(sort: Sort, trans: TranslationBundle): string {
  const words: Record<Sort, string> = {
    name: trans.__('By name'),
    recent: trans.__('Recent first'),
    busiest: trans.__('Busiest first'),
    troubled: trans.__('In trouble first')
  };
  return words[sort];
}
