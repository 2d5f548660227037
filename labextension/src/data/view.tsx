import * as React from 'react';

import { Loaded } from '../common/loaded';
import { Tabs } from '../common/tabs';
import { useSignal } from '../common/useSignal';
import { BackupsTab } from './backups/view';
import { BranchesTab } from './branches/view';
import { CollectionsTab } from './collections/view';
import { CredentialsTab } from './credentials/view';
import { Header } from './header';
import { Tab, TABS } from './model';
import type { IPage } from './page';

const VIEWS: Record<Tab, (props: { page: IPage }) => React.ReactElement> = {
  collections: CollectionsTab,
  credentials: CredentialsTab,
  backups: BackupsTab,
  branches: BranchesTab
};

/** The page of a person's database: how full it is, and a tab for each thing to do with it. */
export function DataView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { model, trans } = page;
  useSignal(model.changed);
  const labels: Record<Tab, string> = {
    collections: trans.__('Collections'),
    credentials: trans.__('Credentials'),
    backups: trans.__('Backups'),
    branches: trans.__('Branches')
  };
  const View = VIEWS[model.tab];
  return (
    <div className="gf-Page-content">
      <Header page={page} />
      <Tabs
        label={trans.__('Parts of your database')}
        id={page.id}
        tabs={TABS.map(name => ({ name, label: labels[name] }))}
        open={model.tab}
        onOpen={name => model.openTab(name)}
      >
        <Loaded resource={model.database} trans={trans} label={trans.__('Asking for your database')}>
          {() => <View page={page} />}
        </Loaded>
      </Tabs>
    </div>
  );
}
