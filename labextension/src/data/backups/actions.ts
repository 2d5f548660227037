import { data } from '../../api/client';
import type { BackupView, DataProgress, PreviousView } from '../../api/types';
import { confirm, confirmByName } from '../../common/ask';
import { moment } from '../../common/format';
import { withProgress } from '../../common/notify';
import { search } from '../collections/query';
import type { IPage } from '../page';
import type { DataRun } from '../run';

/** Follow work on a database to its end, then read again what it changed. */
export async function carryOut(
  page: IPage,
  run: DataRun,
  options: { title: string; path: string; body?: unknown }
): Promise<DataProgress | null> {
  const { model } = page;
  const { title, path, body } = options;
  const init = body === undefined ? { method: 'POST' } : { method: 'POST', body };
  const end = await run.follow(title, () => model.client.stream<DataProgress>(path, init));
  model.refresh();
  void model.backups.refresh();
  model.collection?.refresh();
  return end;
}

export function backUp(page: IPage): Promise<DataProgress | null> {
  const { trans, model } = page;
  const path = `/api/database/backups${search({ branch: model.branch })}`;
  return carryOut(page, model.runs.backups, { title: trans.__('Backup'), path });
}

/** The content of a backup takes the place of what is shown. */
export async function restore(page: IPage, backup: BackupView): Promise<void> {
  const { trans, model } = page;
  const database = model.database.value?.name ?? '';
  const isMeant = await confirmByName({
    trans,
    title: trans.__('Restore the backup of %1?', moment(backup.created_at)),
    body: trans.__(
      'It takes the place of everything in the database in one step; running apps move over. What is there now can come back for a while.'
    ),
    name: database,
    action: trans.__('Restore')
  });
  if (isMeant) {
    await carryOut(page, model.runs.backups, {
      title: trans.__('Restore'),
      path: `/api/database/backups/${backup.id}/restore${search({ branch: model.branch })}`,
      body: { confirm: database }
    });
  }
}

/** Bring back what a restore or a promotion replaced. That can be undone in turn. */
export async function undo(page: IPage, previous: PreviousView): Promise<void> {
  const { trans, model } = page;
  const isMeant = await confirm({
    trans,
    title: trans.__('Bring it back?'),
    body: trans.__(
      'The data are again as they were before %1. What is there now can come back in turn.',
      moment(previous.replaced_at)
    ),
    action: trans.__('Bring it back')
  });
  if (isMeant) {
    await carryOut(page, model.runs.backups, {
      title: trans.__('Undo'),
      path: '/api/database/backups/undo',
      body: { name: previous.name }
    });
  }
}

export async function remove(page: IPage, backup: BackupView): Promise<void> {
  const { trans, model } = page;
  const isMeant = await confirm({
    trans,
    title: trans.__('Delete the backup of %1?', moment(backup.created_at)),
    body: trans.__('Its file goes for good. Your data stay as they are.'),
    action: trans.__('Delete'),
    warn: true
  });
  if (isMeant) {
    await withProgress({ during: trans.__('Deleting the backup') }, trans, async () => {
      const params = { path: { backup_id: backup.id }, query: { confirm: backup.id } };
      await data(model.client.api.DELETE('/api/database/backups/{backup_id}', { params }));
      await model.backups.refresh();
    });
  }
}
