import { InputDialog } from '@jupyterlab/apputils';

import type { AppView } from '../api/types';
import type { TranslationBundle } from '../common/translation';
import { AppsModel } from './model';

/** Ask which app is meant, of those that `fit`; null where the person gave up. `title` is what is to be done. */
export async function chooseApp(
  apps: AppsModel,
  trans: TranslationBundle,
  title: string,
  fits: (app: AppView) => boolean = () => true
): Promise<AppView | null> {
  await apps.refresh();
  const fitting = apps.apps.map(entry => entry.view).filter(fits);
  const asked = await InputDialog.getItem({
    title,
    label: fitting.length ? trans.__('App') : trans.__('There is no app that this can be done to.'),
    items: fitting.map(view => view.id),
    okLabel: title,
    cancelLabel: trans.__('Cancel')
  });
  return fitting.find(view => asked.button.accept && view.id === asked.value) ?? null;
}
