import type { BundleFile } from '../../api/types';

/** Files by path; `text` is null where a file is no text, and `bytes` its size as far as it is known. */
export type Files = ReadonlyMap<string, IFile>;

export interface IFile {
  text: string | null;
  bytes: number;
}

export function filesOf(bundle: { files: Record<string, BundleFile> }): Files {
  const paths = Object.keys(bundle.files).sort();
  return new Map(paths.map(path => [path, fileOf(bundle.files[path])]));
}

function fileOf(file: BundleFile): IFile {
  if (file.text != null) {
    return { text: file.text, bytes: new Blob([file.text]).size };
  }
  const bytes = file.blob != null ? file.blob_bytes : Math.floor(((file.base64?.length ?? 0) * 3) / 4);
  return { text: null, bytes };
}
