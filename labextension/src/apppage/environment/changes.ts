import type { EnvChange, Setting, VariableView } from '../../api/types';

/** A variable as it is, with what is to happen to it. */
export interface IRow {
  name: string;
  secret: boolean;
  /** What the service has; undefined for one that is new. */
  current?: VariableView;
  /** The value to set; undefined where it stays as it is. */
  value?: string;
  isRemoved: boolean;
}

/** What a person is about to change in an app's variables. Nothing of it is sent before it is complete. */
export class EnvChanges {
  get isEmpty(): boolean {
    return this._set.size === 0 && this._unset.size === 0;
  }

  get count(): number {
    return this._set.size + this._unset.size;
  }

  /** The variables with what is to change: secrets that miss a value first, then by name. */
  rows(variables: ReadonlyArray<VariableView>): IRow[] {
    const known = variables.map((current): IRow => ({
      name: current.name,
      secret: this._set.get(current.name)?.secret ?? current.secret,
      current,
      value: this._set.get(current.name)?.value,
      isRemoved: this._unset.has(current.name)
    }));
    const names = new Set(variables.map(each => each.name));
    const added = [...this._set]
      .filter(([name]) => !names.has(name))
      .map(([name, { value, secret }]): IRow => ({ name, secret: Boolean(secret), value, isRemoved: false }));
    return [...known, ...added].sort(
      (one, other) =>
        Number(other.current?.missing ?? false) - Number(one.current?.missing ?? false) ||
        one.name.localeCompare(other.name)
    );
  }

  /** Set a value. What is as it was before is no change; a secret's value is not known, so it always is one. */
  set(name: string, setting: Setting, current?: VariableView): void {
    this._unset.delete(name);
    if (current && !current.secret && !setting.secret && current.value === setting.value) {
      this._set.delete(name);
    } else {
      this._set.set(name, setting);
    }
  }

  /** Take a variable away; one that is only about to be added is forgotten. */
  remove(name: string, isKnown: boolean): void {
    this._set.delete(name);
    if (isKnown) {
      this._unset.add(name);
    }
  }

  /** Leave a variable as it is. */
  keep(name: string): void {
    this._set.delete(name);
    this._unset.delete(name);
  }

  clear(): void {
    this._set.clear();
    this._unset.clear();
  }

  toChange(): EnvChange {
    return { set: Object.fromEntries(this._set), unset: [...this._unset] };
  }

  private readonly _set = new Map<string, Setting>();
  private readonly _unset = new Set<string>();
}
