import type { Destination } from '../schema.ts';

/** A list of destinations by ID and by name. It does not show what this process has written since the list was requested. */
export class ListedDestinations {
  readonly #byID: ReadonlyMap<string, Destination>;
  readonly #byName: ReadonlyMap<string | undefined, readonly Destination[]>;
  readonly #written: ReadonlySet<string>;

  /** `written`: the IDs and names that this process has written since. It may grow. */
  constructor(destinations: readonly Destination[], written: ReadonlySet<string>) {
    this.#byID = new Map(destinations.map((one) => [one.id, one]));
    this.#byName = Map.groupBy(destinations, ({ name }) => name);
    this.#written = written;
  }

  get size(): number {
    return this.#byID.size;
  }

  /** Returns true if the list has the destination, whatever this process has written since. */
  has(id: string): boolean {
    return this.#byID.has(id);
  }

  /** Returns undefined if the list lacks the destination, or if this process has written it since. */
  withID(id: string): Destination | undefined {
    return this.#written.has(id) ? undefined : this.#byID.get(id);
  }

  /** Returns the destinations with this name, or undefined if this process has written one since. */
  named(name: string): readonly Destination[] | undefined {
    const found = this.#byName.get(name) ?? [];
    return this.#written.has(name) || found.some(({ id }) => this.#written.has(id)) ? undefined : found;
  }
}
