/** The name of the drive: `gofastapi:hello/main.py` is `main.py` of the app `hello`. */
export const DRIVE = 'gofastapi';

/** A place on the drive: nothing is its root, an app alone is the app's folder. */
export interface IPlace {
  app: string;
  /** Below the app's folder; empty for the folder itself. */
  path: string;
}

/** Where a path on the drive leads; `gofastapi:` in front of it does not matter. */
export function placeOf(path: string): IPlace {
  const local = path.replace(new RegExp(`^${DRIVE}:`), '').replace(/^\/+|\/+$/g, '');
  const slash = local.indexOf('/');
  return slash < 0 ? { app: local, path: '' } : { app: local.slice(0, slash), path: local.slice(slash + 1) };
}

/** The app that a document belongs to; null for a document that is not on the drive. */
export function appOf(path: string): string | null {
  return path.startsWith(`${DRIVE}:`) ? placeOf(path).app || null : null;
}

/** Parts of a path together, without those that are empty. */
export function join(...parts: string[]): string {
  return parts.filter(Boolean).join('/');
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folder that holds it; empty at the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** Whether `path` is `folder`, or lies somewhere below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '' || path.startsWith(`${folder}/`);
}

/** Where `path` is after `source`, a file or a folder, has become `target`; as before where it lies elsewhere. */
export function moved(path: string, source: string, target: string): string {
  return isWithin(path, source) ? target + path.slice(source.length) : path;
}

/** `name`, or `name` with the first number that makes it new: `untitled.py`, `untitled1.py`, ... */
export function freeName(name: string, taken: ReadonlySet<string>, mark = ''): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 0; ; number += 1) {
    const candidate = number === 0 ? name : `${stem}${mark}${number}${extension}`;
    if (!taken.has(candidate)) {
      return candidate;
    }
  }
}
