import { element } from './dom.ts';

/** Asks for the gateway's key and keeps it in memory alone. */
export class KeyDialog {
  readonly #dialog = element<HTMLDialogElement>('#key');
  readonly #form = element<HTMLFormElement>('#key-form');
  #key = '';

  /** `changed` hears that there is another key. */
  constructor(changed: () => void) {
    element('#key-open').addEventListener('click', () => this.ask());
    element('#key-close').addEventListener('click', () => this.#dialog.close());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#key = String(new FormData(this.#form).get('key')).trim();
      this.#form.reset();
      this.#dialog.close();
      changed();
    });
  }

  /** Empty where none was given. */
  get key(): string {
    return this.#key;
  }

  ask(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}
