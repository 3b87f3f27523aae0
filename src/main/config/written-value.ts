/** One value as somebody wrote it, before it is known whether its name and type are right. */
export interface WrittenValue {
  /** Dotted key; in a variable that nobody knows, the variable itself. */
  readonly key: string
  readonly value: unknown
  /** For messages: where it was written, such as `TINYCLOUD_PORT` or `/etc/tinycloud.toml [global]`. */
  readonly origin: string
}

/** What was wrong or had no meaning, in sentences for the person who wrote it. */
export interface Findings {
  /** Each stops the start. */
  readonly problems: string[]
  /** Names that have no meaning on this node. */
  readonly meaningless: string[]
}
