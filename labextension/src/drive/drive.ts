import type { Contents, ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import type { BundleFile } from '../api/types';
import { DecideLaterError } from './conflict';
import { contentOf, fileOf, fileOfBytes, textFile, Uploads } from './content';
import { asJupyterError, refuse } from './errors';
import { DRIVE, type IPlace, join, nameOf, placeOf } from './paths';
import { fileModel, folderModel } from './tree';
import type { Words } from './words';
import type { Workspace } from './workspace';

const LONG_AGO = new Date(0).toISOString();
const NOTEBOOK = '{\n "cells": [],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n';

/**
 * The person's apps as a drive of JupyterLab: a folder for each app, with its latest code in it. What is saved is the
 * app's draft; nothing is deployed.
 *
 * A file's hash is its etag in the draft. A save names the etag the editor's text is based on, so nothing is
 * overwritten silently.
 */
export class AppDrive implements Contents.IDrive {
  constructor(
    private readonly _files: Workspace,
    private readonly _words: Words
  ) {
    this.serverSettings = _files.drafts.client.settings;
    this._uploads = new Uploads((path, bytes) => _files.drafts.checkSize(path, bytes));
  }

  readonly name = DRIVE;
  readonly serverSettings: ServerConnection.ISettings;

  /** For documents that are being saved, by path: the etag their text is based on, and the text they are to show. */
  readonly saving = new Map<string, { etag: string | undefined; text?: string | null }>();

  /** Takes an app away. Throws as the API does. */
  deleteApp: (app: string) => Promise<void> = () => Promise.resolve();

  /** Told of files that were taken away, with what brings them back. */
  offerUndo: (place: IPlace, undo: () => Promise<void>) => void = () => undefined;

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    Signal.clearData(this);
  }

  get(path: string, options: Contents.IFetchOptions = { content: true }): Promise<Contents.IModel> {
    return orJupyterError(async () => {
      const place = placeOf(path);
      if (!place.app) {
        return this._root();
      }
      const saving = this.saving.get(path);
      if (saving && !options.content && options.hash) {
        // A document asks whether it may save. The save itself finds out, and knows what to do then.
        return fileModel(path, LONG_AGO, null, saving.etag);
      }
      if (place.path && (options.type ?? 'file') !== 'directory') {
        if (options.content && options.type) {
          return this._file(place, options);
        }
        const folder = await this._folder(place, options);
        return folder ?? this._file(place, options);
      }
      return (await this._folder(place, options)) ?? refuse(this._words.notThere(path), 404);
    });
  }

  save(path: string, options: Partial<Contents.IModel> = {}): Promise<Contents.IModel> {
    return orJupyterError(async () => {
      const place = placeOf(path);
      if (options.type === 'directory') {
        return this._newFolder(path);
      }
      if (!place.path) {
        refuse(this._words.filesLieInApps());
      }
      if (options.chunk === undefined) {
        return this._save(place, fileOf(options));
      }
      const whole = await this._uploads.add(path, String(options.content ?? ''), options.chunk);
      return whole ? this._save(place, fileOfBytes(whole)) : fileModel(path, LONG_AGO, null);
    });
  }

  newUntitled(options: Contents.ICreateOptions = {}): Promise<Contents.IModel> {
    return orJupyterError(async () => {
      const folder = placeOf(options.path ?? '');
      if (options.type === 'directory') {
        const name = folder.app ? 'untitled-folder' : 'new-app';
        return this._newFolder(await this._files.freeName(folder, name, '-'));
      }
      if (!folder.app) {
        refuse(this._words.filesLieInApps());
      }
      const isNotebook = options.type === 'notebook';
      const extension = isNotebook ? 'ipynb' : (options.ext ?? 'txt').replace(/^\./, '');
      const path = await this._files.freeName(folder, `untitled.${extension}`);
      const { view } = await this._files.save(placeOf(path), textFile(isNotebook ? NOTEBOOK : ''), undefined);
      const model = fileModel(path, new Date().toISOString(), view.file, view.etag);
      this._emit('new', null, model);
      return model;
    });
  }

  rename(from: string, to: string): Promise<Contents.IModel> {
    return orJupyterError(async () => {
      const [source, target] = [placeOf(from), placeOf(to)];
      if (!source.path && target.path) {
        refuse(this._words.appsLieAtTheTop());
      }
      if (source.path && !target.path) {
        refuse(this._words.filesLieInApps());
      }
      await (source.path ? this._files.move(source, target) : this._files.name(source.app, target.app));
      const etag = this._files.etagOf(target);
      const now = new Date().toISOString();
      const model = etag ? fileModel(to, now, null, etag) : folderModel(to, now, null);
      this._emit('rename', { path: from }, model);
      return model;
    });
  }

  delete(path: string): Promise<void> {
    return orJupyterError(async () => {
      const place = placeOf(path);
      if (place.path) {
        const removed = await this._files.remove(place);
        this._emit('delete', { path }, null);
        this.offerUndo(place, async () => {
          await this._files.restore(place.app, removed);
          this._emit('new', null, { path });
        });
        return;
      }
      if (!(await this._files.forgetPlanned(place.app))) {
        await this.deleteApp(place.app);
      }
      this._emit('delete', { path }, null);
    });
  }

  copy(path: string, toFolder: string): Promise<Contents.IModel> {
    return orJupyterError(async () => {
      const [source, folder] = [placeOf(path), placeOf(toFolder)];
      if (!source.path) {
        refuse(this._words.cloneInstead(source.app));
      }
      if (!folder.app) {
        refuse(this._words.filesLieInApps());
      }
      const target = await this._files.freeName(folder, nameOf(source.path), '-Copy');
      await this._files.copy(source, placeOf(target));
      const etag = this._files.etagOf(placeOf(target));
      const model = etag ? fileModel(target, LONG_AGO, null, etag) : folderModel(target, LONG_AGO, null);
      this._emit('new', null, model);
      return model;
    });
  }

  getDownloadUrl(path: string): Promise<string> {
    const { app, path: file } = placeOf(path);
    return Promise.resolve(this._files.drafts.contentUrl(app, file));
  }

  // A draft has no checkpoints; every version that was deployed is in the app's history.

  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return Promise.resolve({ id: 'none', last_modified: new Date().toISOString() });
  }

  listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return Promise.resolve([]);
  }

  restoreCheckpoint(): Promise<void> {
    return orJupyterError(() => refuse(this._words.noCheckpoints()));
  }

  deleteCheckpoint(): Promise<void> {
    return Promise.resolve();
  }

  private async _root(): Promise<Contents.IModel> {
    const { views, planned } = await this._files.apps();
    const folders = [
      ...views.map(view => folderModel(view.id, view.draft?.saved_at ?? view.updated_at, null)),
      ...planned.map(app => folderModel(app, new Date().toISOString(), null))
    ];
    return folderModel('', LONG_AGO, folders);
  }

  private async _folder(place: IPlace, options: Contents.IFetchOptions): Promise<Contents.IModel | null> {
    const listed = await this._files.list(place);
    if (listed === null) {
      return null;
    }
    const { entries, time } = listed;
    const models = entries.map(({ path, isFolder, file }) => {
      const whole = join(place.app, path);
      return isFolder ? folderModel(whole, time, null) : fileModel(whole, time, file ?? null);
    });
    return folderModel(join(place.app, place.path), time, options.content === false ? null : models);
  }

  private async _file(place: IPlace, options: Contents.IFetchOptions): Promise<Contents.IModel> {
    const { drafts } = this._files;
    const { app, path } = place;
    const view = await drafts.file(app, path);
    // The time stays: which of two files is newer is told by their etags.
    const model = fileModel(join(app, path), LONG_AGO, view.file, options.hash ? view.etag : undefined);
    if (options.content === false) {
      return model;
    }
    const file = options.format === 'text' ? view.file : await drafts.whole(app, path, view.file);
    return { ...model, ...contentOf(path, file, options) };
  }

  private async _save(place: IPlace, file: BundleFile): Promise<Contents.IModel> {
    const path = join(place.app, place.path);
    const saving = this.saving.get(path);
    const etag = saving ? saving.etag : this._files.etagOf(place);
    const { view, text } = await this._files.save(place, file, etag).catch(error => {
      if (error instanceof DecideLaterError) {
        // JupyterLab does not say that this save is over.
        this.saving.delete(path);
      }
      throw error;
    });
    if (saving) {
      this.saving.set(path, { etag: view.etag, text });
    }
    const model = fileModel(path, LONG_AGO, view.file, view.etag);
    this._emit('save', null, model);
    return model;
  }

  private _newFolder(path: string): Contents.IModel {
    this._files.addFolder(path);
    const model = folderModel(path, new Date().toISOString(), null);
    this._emit('new', null, model);
    return model;
  }

  private _emit(
    type: Contents.IChangedArgs['type'],
    oldValue: Partial<Contents.IModel> | null,
    newValue: Partial<Contents.IModel> | null
  ): void {
    this._fileChanged.emit({ type, oldValue, newValue });
  }

  private _disposed = false;
  private readonly _uploads: Uploads;
  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
}

/** Run it; whatever it throws has the form JupyterLab reads. */
async function orJupyterError<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw asJupyterError(error);
  }
}
