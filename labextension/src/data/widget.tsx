import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { AppsModel } from '../apps/model';
import type { LoadEditor } from '../common/code';
import { dataIcon } from '../common/icons';
import { MainPage } from '../common/mainPage';
import type { TranslationBundle } from '../common/translation';
import { DataModel } from './model';
import { DataView } from './view';

const PAGE_ID = 'gofastapi-data';

/** The page of a person's database, as a tab of the main area. */
export class DataPage extends MainPage<DataModel> {
  constructor(options: {
    apps: AppsModel;
    trans: TranslationBundle;
    commands: CommandRegistry;
    loadEditor: LoadEditor;
  }) {
    const { apps, ...shared } = options;
    const { trans } = shared;
    const model = new DataModel(apps, trans);
    super(PAGE_ID, model, <DataView page={{ model, id: PAGE_ID, ...shared }} />);
    this.addClass('gf-Data');
    this.title.icon = dataIcon;
    this.title.label = trans.__('Data');
    this.title.caption = trans.__('Your database');
    this.content.node.setAttribute('aria-label', trans.__('Your data'));
  }
}
