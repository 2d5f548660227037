import { Clipboard, Notification } from '@jupyterlab/apputils';

import { data } from '../../api/client';
import type { StageEvent } from '../../api/types';
import { confirmByName } from '../../common/ask';
import { notifyError, notifyUndo, withProgress } from '../../common/notify';
import type { IPage } from '../page';

/** Where a person's browser reaches the app. */
export function addressOf(page: IPage): string {
  const { entry, app, client } = page.model;
  return client.appUrl({ id: app, url: entry?.view.url });
}

export function copy(text: string, page: IPage): void {
  Clipboard.copyToSystem(text);
  Notification.success(page.trans.__('Copied'), { autoClose: 1500 });
}

/** Run stages of the app's page to their end, in its settings' run, which shows them. */
export async function start(
  page: IPage,
  how: 'start' | 'restart' | 'restore'
): Promise<StageEvent | undefined> {
  const { app, client, settings, apps } = page.model;
  const end = await settings.run.follow(client.stages(`/api/apps/${app}/${how}`));
  void apps.refresh();
  return end;
}

export async function stop(page: IPage): Promise<void> {
  const { app, client, apps } = page.model;
  const { trans } = page;
  const params = { path: { app_id: app } };
  await withProgress({ during: trans.__('Stopping %1', app) }, trans, async () => {
    await data(client.api.POST('/api/apps/{app_id}/stop', { params }));
    notifyUndo(trans.__('%1 is stopped.', app), trans, () => void start(page, 'start'));
    await apps.refresh();
  });
}

/** Delete the app once its name was typed; it can be taken back. */
export async function remove(page: IPage): Promise<void> {
  const { app, client, apps } = page.model;
  const { trans } = page;
  const isMeant = await confirmByName({
    trans,
    title: trans.__('Delete %1?', app),
    body: trans.__(
      'The app ends and its address answers nobody any more. Its code, versions, variables and files can be restored for some days. Your database stays.'
    ),
    name: app,
    action: trans.__('Delete')
  });
  if (!isMeant) {
    return;
  }
  try {
    const params = { path: { app_id: app }, query: { confirm: app } };
    await data(client.api.DELETE('/api/apps/{app_id}', { params }));
    await apps.refresh();
    notifyUndo(trans.__('%1 was deleted.', app), trans, () => void start(page, 'restore'));
  } catch (error) {
    notifyError(error, trans, () => void remove(page));
  }
}
