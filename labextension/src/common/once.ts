/** Does each thing once at a time: who asks again before it is over, as by a double click, waits for the same. */
export class Once {
  /** `key` says what it is. */
  do<T>(key: string, task: () => Promise<T>): Promise<T> {
    const running = this._running.get(key) as Promise<T> | undefined;
    if (running) {
      return running;
    }
    const begun = task().finally(() => this._running.delete(key));
    this._running.set(key, begun);
    return begun;
  }

  /** Do it, unless it is under way: then nothing is done. */
  async orNever<T>(key: string, task: () => Promise<T>): Promise<T | null> {
    return this._running.has(key) ? null : this.do(key, task);
  }

  private readonly _running = new Map<string, Promise<unknown>>();
}
