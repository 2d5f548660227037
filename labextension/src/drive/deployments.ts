import { ISignal, Signal } from '@lumino/signaling';

import type { Diagnostic, StageEvent } from '../api/types';
import type { Deploys } from '../apps/deploys';

/** A deploy of an app's draft: under way, or how the last one ended. */
export interface IDeployment {
  readonly app: string;
  readonly isRunning: boolean;
  /** Those that are over, in their order. */
  readonly stages: readonly StageEvent[];
  /** The last of them, where it has come to an end: `live`, or `failed`. */
  readonly end: StageEvent | null;
}

/** Whether it is in the way of a deploy. What is the default does not stand in the lines of an answer. */
export function isError(diagnostic: Diagnostic): boolean {
  return (diagnostic.severity ?? 'error') === 'error';
}

/** Deploys of drafts that were begun here, by app. */
export class Deployments {
  constructor(private readonly _deploys: Deploys) {}

  /** Emitted with the app. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  get(app: string): IDeployment | undefined {
    return this._deployments.get(app);
  }

  /** What is wrong with the code of the last deploy, as far as it has not been changed since. */
  diagnostics(app: string): readonly Diagnostic[] {
    return this._diagnostics.get(app) ?? [];
  }

  /** Forget diagnostics: the code at their places has been changed. */
  drop(app: string, gone: readonly Diagnostic[]): void {
    if (gone.length) {
      this._diagnostics.set(
        app,
        this.diagnostics(app).filter(each => !gone.includes(each))
      );
      this._changed.emit(app);
    }
  }

  /** Deploy the draft, and answer how it ended. Throws where there is no end: then nobody knows. */
  async deploy(app: string): Promise<StageEvent> {
    const stages: StageEvent[] = [];
    this._diagnostics.delete(app);
    this._set({ app, isRunning: true, stages, end: null });
    try {
      const path = `/api/apps/${encodeURIComponent(app)}/deploy`;
      const end = await this._deploys.run(app, path, { body: {} }, stage => {
        stages.push(stage);
        this._set({ app, isRunning: true, stages, end: null });
      });
      this._diagnostics.set(app, end.diagnostics ?? []);
      this._set({ app, isRunning: false, stages, end });
      return end;
    } catch (error) {
      this._set({ app, isRunning: false, stages, end: null });
      throw error;
    }
  }

  private _set(deployment: IDeployment): void {
    this._deployments.set(deployment.app, deployment);
    this._changed.emit(deployment.app);
  }

  private readonly _deployments = new Map<string, IDeployment>();
  private readonly _diagnostics = new Map<string, readonly Diagnostic[]>();
  private readonly _changed = new Signal<this, string>(this);
}
