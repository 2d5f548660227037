import type { TranslationBundle } from '../common/translation';

/** What the drive says where JupyterLab asks for what an app's files cannot do. */
export class Words {
  constructor(private readonly _trans: TranslationBundle) {}

  filesLieInApps(): string {
    return this._trans.__("Files belong to an app. Open an app's folder first, or make one with New Folder.");
  }

  notThere(path: string): string {
    return this._trans.__('There is no %1 any more.', path);
  }

  keepsItsName(app: string): string {
    return this._trans.__(
      '"%1" keeps its name, because it is its address. Clone it under another name instead.',
      app
    );
  }

  appsLieAtTheTop(): string {
    return this._trans.__('An app cannot be put into another one.');
  }

  cloneInstead(app: string): string {
    return this._trans.__('An app is not copied with its files alone. Clone "%1" instead.', app);
  }

  isThere(path: string): string {
    return this._trans.__('%1 is there already. Choose another name.', path);
  }

  noCheckpoints(): string {
    return this._trans.__(
      "Drafts have no checkpoints. The app's history has every version that was deployed."
    );
  }
}
