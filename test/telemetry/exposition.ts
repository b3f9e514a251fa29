/** One line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series of one name; those of a histogram together. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

/** Reads the text format strictly: every series stands below the head of its family, and each head is there once. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  let current: Family | undefined;
  let help = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('# HELP ')) help = line.slice('# HELP '.length);
    else if (line.startsWith('# TYPE ')) {
      const [name, type] = line.slice('# TYPE '.length).split(' ') as [string, string];
      if (families.has(name)) throw new Error(`${name} stands in two places`);
      current = { name, type, help, samples: [] };
      families.set(name, current);
    } else current!.samples.push(parseSample(line, current!));
  }
  return families;
}

function parseSample(line: string, { name, type }: Family): Sample {
  const match = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) throw new Error(`no series: ${line}`);
  const ends = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!ends.some((end) => match[1] === name + end)) throw new Error(`${match[1]} below ${name}`);
  const pairs = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  const labels = Object.fromEntries(pairs.map(([, label, value]) => [label, value]));
  return { name: match[1]!, labels, value: Number(match[3]!.replace('Inf', 'Infinity')) };
}

/** The sum of all series of a name whose labels are as wanted. */
export function total(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name.replace(/_(?:bucket|sum|count)$/, '')) ?? families.get(name);
  const wanted = Object.entries(labels);
  return (family?.samples ?? [])
    .filter((it) => it.name === name && wanted.every(([key, value]) => it.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
