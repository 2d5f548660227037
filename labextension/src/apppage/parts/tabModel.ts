/** A tab that is read anew when it comes into view, and after everything that happens to its app. */
export abstract class RefreshedTab {
  abstract refresh(): void;

  show(): void {
    this.refresh();
  }

  hide(): void {}

  onEvent(): void {
    this.refresh();
  }

  onNumbers(): void {}
}
