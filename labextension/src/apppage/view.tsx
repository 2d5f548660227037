import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Busy } from '../common/busy';
import { ErrorNotice } from '../common/notice';
import { useSignal } from '../common/useSignal';
import { EnvironmentView } from './environment/view';
import { ErrorsView } from './errors/view';
import { Header } from './header';
import { HistoryView } from './history/view';
import { LogsView } from './logs/view';
import { Tab, TABS } from './model';
import { OverviewView } from './overview/view';
import type { IPage } from './page';
import { Empty } from '../common/empty';
import { Tabs } from '../common/tabs';
import { SettingsView } from './settings/view';

const VIEWS: Record<Tab, (props: { page: IPage }) => React.ReactElement> = {
  overview: OverviewView,
  logs: LogsView,
  errors: ErrorsView,
  history: HistoryView,
  environment: EnvironmentView,
  settings: SettingsView
};

/** The page of one app: who it is, and a tab for each thing to know of it. */
export function AppPageView(props: { page: IPage; id: string }): React.ReactElement {
  const { page, id } = props;
  const { model, trans } = page;
  const { apps, app, tab, entry } = model;
  useSignal(apps.changed);
  useSignal(model.changed);
  if (!entry) {
    if (apps.error && !apps.isReady) {
      return <ErrorNotice error={apps.error} trans={trans} onRetry={() => void apps.refresh()} />;
    }
    return apps.isReady ? <Gone page={page} /> : <Busy label={trans.__('Asking for %1', app)} />;
  }
  const labels: Record<Tab, string> = {
    overview: trans.__('Overview'),
    logs: trans.__('Logs'),
    errors: trans.__('Errors'),
    history: trans.__('History'),
    environment: trans.__('Environment'),
    settings: trans.__('Settings')
  };
  const View = VIEWS[tab];
  return (
    <div className="gf-Page-content">
      <Header page={page} view={entry.view} />
      {apps.error != null && (
        <ErrorNotice error={apps.error} trans={trans} onRetry={() => void apps.refresh()} />
      )}
      <Tabs
        label={trans.__('Parts of %1', app)}
        id={id}
        tabs={TABS.map(name => ({ name, label: labels[name] }))}
        open={tab}
        onOpen={name => model.openTab(name)}
      >
        <View page={page} />
      </Tabs>
    </div>
  );
}

/** An app that is not there (any more). */
function Gone(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model, actions } = page;
  return (
    <div className="gf-Page-content">
      <Empty title={trans.__('There is no app %1', model.app)}>
        <p>
          {trans.__('If it was deleted in the last days, it can be restored with all that belongs to it.')}
        </p>
        <Button className="gf-Action gf-mod-primary" onClick={() => void actions.restore(model.app)}>
          {trans.__('Restore %1', model.app)}
        </Button>
      </Empty>
    </div>
  );
}
