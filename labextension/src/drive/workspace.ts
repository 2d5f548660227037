import type { AppView, BundleFile, DraftFileView } from '../api/types';
import { conflictOf, DecideLaterError, type Resolve } from './conflict';
import type { Drafts } from './draft';
import { refuse } from './errors';
import { freeName, type IPlace, isWithin, join, nameOf } from './paths';
import { EmptyFolders, entriesOf, filesBelow, type IEntry, leftEmpty } from './tree';
import type { Words } from './words';

interface IKnown {
  readonly files: Readonly<Record<string, BundleFile>>;
  readonly etags: Readonly<Record<string, string>>;
  readonly time: string;
}

const NOTHING: IKnown = { files: {}, etags: {}, time: new Date(0).toISOString() };

/** The files of the person's apps, with the folders in which there is nothing yet. All errors are `ApiError`s. */
export class Workspace {
  constructor(
    readonly drafts: Drafts,
    private readonly _words: Words,
    /** When an app was changed last, as far as that is known. */
    private readonly _changedAt: (app: string) => string | undefined
  ) {}

  /** Asks what to save where a file was changed by somebody else meanwhile. */
  resolve: Resolve = () => Promise.resolve(null);

  /** Names of all apps, with those that are only a folder so far. */
  async apps(): Promise<{ views: AppView[]; planned: string[] }> {
    const views = await this.drafts.apps();
    const planned = this._empty.within('').filter(path => !path.includes('/'));
    return { views, planned: planned.filter(app => !views.some(view => view.id === app)) };
  }

  /** Read an app's files again. Throws where there is no such app. */
  async read(app: string): Promise<IKnown> {
    if (this._isPlanned(app) && !(await this.drafts.exists(app))) {
      return NOTHING;
    }
    const view = await this.drafts.read(app);
    const time = view?.info?.saved_at ?? this._changedAt(app) ?? NOTHING.time;
    const known = view ? { files: view.bundle.files, etags: view.etags ?? {}, time } : { ...NOTHING, time };
    this._known.set(app, known);
    return known;
  }

  /** What is in a folder, and when it was saved. Null where there is no such folder. */
  async list({ app, path }: IPlace): Promise<{ entries: IEntry[]; time: string } | null> {
    const { files, time } = await this.read(app);
    const entries = entriesOf(files, this._emptyOf(app), path);
    return entries && { entries, time };
  }

  /** The etag of a file as it was listed last. */
  etagOf({ app, path }: IPlace): string | undefined {
    return this._known.get(app)?.etags[path];
  }

  isFolder({ app, path }: IPlace): boolean {
    const files = this._known.get(app)?.files ?? {};
    return entriesOf(files, this._emptyOf(app), path) !== null;
  }

  /** A name in this folder that nothing has yet. */
  async freeName(folder: IPlace, name: string, mark = ''): Promise<string> {
    const taken = folder.app ? await this._namesIn(folder) : await this._appNames();
    return join(folder.app, folder.path, freeName(name, taken, mark));
  }

  addFolder(path: string): void {
    this._empty.add(path);
  }

  /**
   * Save a file over the one of `etag`; undefined is one that is not there. Where it is another one by now, the person
   * is asked: `text` is then what they want, null where that is what they had.
   */
  async save(
    { app, path }: IPlace,
    file: BundleFile,
    etag: string | undefined
  ): Promise<{ view: DraftFileView; text: string | null }> {
    let wanted = file;
    let base = etag ?? null;
    for (;;) {
      try {
        const view = await this.drafts.saveFile(app, path, wanted, base);
        this._noteFile(view, app);
        return { view, text: wanted === file ? null : (wanted.text ?? null) };
      } catch (error) {
        const conflict = conflictOf(error, app, path);
        if (!conflict) {
          throw error;
        }
        const resolution = await this.resolve(conflict);
        if (resolution === null) {
          throw new DecideLaterError();
        }
        if (resolution.kind === 'theirs') {
          const view = await this.drafts.file(app, path);
          this._noteFile(view, app);
          return { view, text: view.file.text ?? null };
        }
        if (resolution.kind === 'merged') {
          wanted = { text: resolution.text, blob_bytes: 0 };
        }
        base = conflict.etag;
      }
    }
  }

  /** Rename or move a file or folder, also to another app. */
  async move(source: IPlace, target: IPlace): Promise<void> {
    const [from, to] = [join(source.app, source.path), join(target.app, target.path)];
    const { files } = await this.read(source.app);
    const moving = filesBelow(files, source.path, target.path);
    if (Object.keys(moving).length === 0) {
      if (!this._empty.has(from)) {
        refuse(this._words.notThere(source.path), 404);
      }
    } else if (source.app === target.app) {
      await this.drafts.move(source.app, source.path, target.path);
    } else {
      // First there, then away from here: whatever breaks off in between, no file is lost.
      await this._add(target, moving);
      await this.drafts.edit(source.app, all => without(all, source.path));
    }
    this._empty.rename(from, to);
    this._keepFolder(source, files);
    await Promise.all([...new Set([source.app, target.app])].map(app => this.read(app)));
  }

  /** Copy a file or folder to a place where there is none. */
  async copy(source: IPlace, target: IPlace): Promise<void> {
    const { files } = await this.read(source.app);
    const copies = filesBelow(files, source.path, target.path);
    if (Object.keys(copies).length === 0) {
      this._empty.add(join(target.app, target.path));
    } else {
      await this._add(target, copies);
    }
    await this.read(target.app);
  }

  /** Put files back that `remove` has taken away. Throws where there are others by now. */
  async restore(app: string, files: Record<string, BundleFile>): Promise<void> {
    await this._add({ app, path: Object.keys(files)[0] ?? '' }, files);
    await this.read(app);
  }

  /** Take away a file, as it was listed last, or a folder; answer what there was. */
  async remove(place: IPlace): Promise<Record<string, BundleFile>> {
    const { app, path } = place;
    const known = this._known.get(app) ?? (await this.read(app));
    let removed = filesBelow(known.files, path, path);
    if (path in known.files) {
      await this.drafts.deleteFile(app, path, known.etags[path] ?? '*');
    } else if (Object.keys(removed).length) {
      await this.drafts.edit(app, files => {
        removed = filesBelow(files, path, path);
        return without(files, path);
      });
    }
    this._empty.remove(join(app, path));
    this._keepFolder(place, known.files);
    await this.read(app);
    return removed;
  }

  /** Give an app that is only a folder so far its name: now it is one. Throws where there is such an app already. */
  async name(planned: string, app: string): Promise<void> {
    if (!this._isPlanned(planned)) {
      refuse(this._words.keepsItsName(planned));
    }
    // A draft over an app that has only a live version would not be refused.
    if (await this.drafts.exists(app)) {
      refuse(this._words.isThere(app));
    }
    await this.drafts.create(app);
    this._empty.rename(planned, app);
    this._empty.add(app);
  }

  /** Whether there was only a folder of this name, which is gone now. */
  async forgetPlanned(app: string): Promise<boolean> {
    const isAlone = this._isPlanned(app) && !(await this.drafts.exists(app));
    this._empty.remove(app);
    this._known.delete(app);
    return isAlone;
  }

  private async _add(target: IPlace, files: Record<string, BundleFile>): Promise<void> {
    await this.drafts.edit(target.app, all => {
      const taken = Object.keys(all).find(path => path in files || isWithin(path, target.path));
      return taken ? refuse(this._words.isThere(taken), 409) : { ...all, ...files };
    });
  }

  /** A folder whose last file went stays, for the time being: nobody asked to remove it. */
  private _keepFolder({ app, path }: IPlace, before: Readonly<Record<string, BundleFile>>): void {
    const folder = leftEmpty(before, path);
    if (folder) {
      this._empty.add(join(app, folder));
    }
  }

  private _noteFile(view: DraftFileView, app: string): void {
    const known = this._known.get(app) ?? NOTHING;
    this._known.set(app, {
      files: { ...known.files, [view.path]: view.file },
      etags: { ...known.etags, [view.path]: view.etag },
      time: new Date().toISOString()
    });
  }

  private _isPlanned(app: string): boolean {
    return this._empty.has(app);
  }

  private _emptyOf(app: string): string[] {
    return this._empty.within(app).flatMap(path => (path === app ? [] : [path.slice(app.length + 1)]));
  }

  private async _namesIn(folder: IPlace): Promise<Set<string>> {
    const listed = await this.list(folder);
    return new Set(listed?.entries.map(entry => nameOf(entry.path)));
  }

  private async _appNames(): Promise<Set<string>> {
    const { views, planned } = await this.apps();
    return new Set([...views.map(view => view.id), ...planned]);
  }

  private readonly _known = new Map<string, IKnown>();
  private readonly _empty = new EmptyFolders();
}

function without(files: Record<string, BundleFile>, path: string): Record<string, BundleFile> {
  return Object.fromEntries(Object.entries(files).filter(([file]) => !isWithin(file, path)));
}
