import type { Contents } from '@jupyterlab/services';

import type { BundleFile, DraftView } from '../api/types';
import { sizeOf } from './content';
import { folderOf, isWithin, join, moved, nameOf } from './paths';

/** What is directly in a folder. */
export interface IEntry {
  path: string;
  isFolder: boolean;
  file?: BundleFile;
}

/**
 * Folders without a file. A bundle is a tree of files, so the service knows no such folder: they are kept here, for
 * as long as the page is open, and become real with their first file. Paths start with the app.
 */
export class EmptyFolders {
  add(path: string): void {
    this._paths.add(path);
  }

  has(path: string): boolean {
    return this._paths.has(path);
  }

  /** Those at or below `folder`. */
  within(folder: string): string[] {
    return [...this._paths].filter(path => isWithin(path, folder)).sort();
  }

  remove(folder: string): void {
    this.within(folder).forEach(path => this._paths.delete(path));
  }

  rename(source: string, target: string): void {
    for (const path of this.within(source)) {
      this._paths.delete(path);
      this._paths.add(moved(path, source, target));
    }
  }

  private readonly _paths = new Set<string>();
}

/** What is in `folder` of an app: folders and files, by name. Null where there is no such folder. */
export function entriesOf(
  files: Readonly<Record<string, BundleFile>>,
  empty: readonly string[],
  folder: string
): IEntry[] | null {
  const found = new Map<string, IEntry>();
  const rest = (path: string) => (folder ? path.slice(folder.length + 1) : path);
  for (const [path, file] of Object.entries(files)) {
    if (path !== folder && isWithin(path, folder)) {
      const [name, ...below] = rest(path).split('/');
      const entry = join(folder, name!);
      found.set(
        entry,
        below.length ? { path: entry, isFolder: true } : { path: entry, isFolder: false, file }
      );
    }
  }
  for (const path of empty) {
    if (path !== folder && isWithin(path, folder)) {
      const entry = join(folder, rest(path).split('/')[0]!);
      found.set(entry, { path: entry, isFolder: true });
    }
  }
  if (found.size === 0 && folder !== '' && !empty.includes(folder)) {
    return null;
  }
  return [...found.values()].sort((a, b) => a.path.localeCompare(b.path));
}

/** Files below `source`, at their places below `target`. */
export function filesBelow(
  files: Readonly<Record<string, BundleFile>>,
  source: string,
  target: string
): Record<string, BundleFile> {
  const below = Object.entries(files).filter(([path]) => isWithin(path, source));
  return Object.fromEntries(below.map(([path, file]) => [moved(path, source, target), file]));
}

/** Jupyter's word for a folder. */
export function folderModel(path: string, time: string, content: Contents.IModel[] | null): Contents.IModel {
  return {
    name: nameOf(path),
    path,
    type: 'directory',
    writable: true,
    created: time,
    last_modified: time,
    mimetype: '',
    content,
    format: content ? 'json' : null
  };
}

/** Jupyter's word for a file, without its content. */
export function fileModel(
  path: string,
  time: string,
  file: BundleFile | null,
  etag?: string
): Contents.IModel {
  return {
    name: nameOf(path),
    path,
    type: path.endsWith('.ipynb') ? 'notebook' : 'file',
    writable: true,
    created: time,
    last_modified: time,
    mimetype: file && typeof file.text !== 'string' ? 'application/octet-stream' : 'text/plain',
    content: null,
    format: null,
    size: file ? sizeOf(file) : undefined,
    ...(etag ? { hash: etag, hash_algorithm: 'sha256' } : {})
  };
}

/** The whole draft again with other files, to save. */
export function withFiles(view: DraftView, files: Record<string, BundleFile>) {
  const origins = Object.entries(view.origins ?? {}).filter(([path]) => path in files);
  return {
    bundle: { ...view.bundle, files },
    origins: Object.fromEntries(origins),
    env: view.env,
    interpreter: view.interpreter
  };
}

/** The folder of an app that a change at `path` may have emptied, to stay as it was: null at the top. */
export function leftEmpty(files: Readonly<Record<string, BundleFile>>, path: string): string | null {
  const folder = folderOf(path);
  const others = Object.keys(files).some(other => !isWithin(other, path) && isWithin(other, folder));
  return folder && !others ? folder : null;
}
