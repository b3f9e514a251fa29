/** What a scheduler has done since it was made; counts only grow. */
export class SchedulerStats {
  preemptions = 0;
  /** Prompt tokens that were looked for in the prefix cache. */
  prefixCacheQueries = 0;
  /** Those of them that it held. */
  prefixCacheHits = 0;

  /** Counts a request's first admission. */
  admitted(promptTokens: number, cachedTokens: number): void {
    this.prefixCacheQueries += promptTokens;
    this.prefixCacheHits += cachedTokens;
  }
}
