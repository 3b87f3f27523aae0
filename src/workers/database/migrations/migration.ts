/** One numbered step of the schema. Frozen once released: it imports nothing that may change later. */
export interface Migration {
  readonly number: number
  /** Applied in order, in one transaction where the engine can. */
  readonly statements: readonly string[]
}
