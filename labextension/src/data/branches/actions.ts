import { data } from '../../api/client';
import type { BranchView } from '../../api/types';
import { confirmByName } from '../../common/ask';
import { ago } from '../../common/format';
import { withProgress } from '../../common/notify';
import { carryOut } from '../backups/actions';
import type { IPage } from '../page';

export async function extend(page: IPage, branch: BranchView, ttl: string): Promise<void> {
  const { trans, model } = page;
  await withProgress(
    {
      during: trans.__('Extending %1', branch.name),
      done: (changed: BranchView) =>
        changed.expires_at
          ? trans.__('%1 goes by itself %2.', branch.name, ago(changed.expires_at))
          : trans.__('%1 stays.', branch.name)
    },
    trans,
    async () => {
      const params = { path: { name: branch.name } };
      const changed = await data(
        model.client.api.PATCH('/api/database/branches/{name}', { params, body: { ttl } })
      );
      await model.branches.refresh();
      return changed;
    }
  );
}

/** Drop a branch once its name was typed; apps that run on it are named first, and stop. */
export async function drop(page: IPage, branch: BranchView): Promise<void> {
  const { trans, model } = page;
  const { name } = branch;
  const apps = branch.apps ?? [];
  const isMeant = await confirmByName({
    trans,
    title: trans.__('Drop the branch %1?', name),
    body:
      apps.length > 0
        ? trans.__(
            'All data in it go for good. %1 would be on it no more and is stopped: to keep it running, cancel, and deploy it without --db-branch first.',
            apps.join(', ')
          )
        : trans.__('All data in it go for good. The data themselves stay as they are.'),
    name,
    action: apps.length > 0 ? trans.__('Stop and drop') : trans.__('Drop')
  });
  if (isMeant) {
    await withProgress(
      { during: trans.__('Dropping %1', name), done: () => trans.__('The branch %1 is dropped.', name) },
      trans,
      async () => {
        const query = { confirm: name, force: apps.length > 0 };
        const params = { path: { name }, query };
        await data(model.client.api.DELETE('/api/database/branches/{name}', { params }));
        await model.branches.refresh();
      }
    );
  }
}

/** The branch's data become the data themselves. */
export async function promote(page: IPage, branch: BranchView): Promise<void> {
  const { trans, model } = page;
  const { name } = branch;
  const isMeant = await confirmByName({
    trans,
    title: trans.__('Promote the branch %1?', name),
    body: trans.__(
      'Its data become the data themselves; running apps move over without a failed request. What is there now can come back for a while, under Backups.'
    ),
    name,
    action: trans.__('Promote')
  });
  if (isMeant) {
    await carryOut(page, model.runs.branches, {
      title: trans.__('Promotion of %1', name),
      path: `/api/database/branches/${name}/promote`,
      body: { confirm: name }
    });
  }
}
