// The node's metrics (the text format of Prometheus), read. Pure.
export interface Metric {
  name: string;
  labels: string;
  value: number;
  help: string;
}

export function readMetrics(text: string): Metric[] {
  const helps = new Map<string, string>();
  const list: Metric[] = [];
  for (const line of text.split('\n')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    if (help?.[1]) helps.set(help[1], help[2] ?? '');
    const sample = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)$/.exec(line);
    if (!sample?.[1]) continue;
    const [, name, labels = '', value] = sample;
    list.push({ name, labels, value: Number(value), help: helps.get(name) ?? '' });
  }
  return list;
}
