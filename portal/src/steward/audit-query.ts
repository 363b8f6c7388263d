// Which search of the audit log a form means. Pure.
const PAGE = 50;

export function auditQuery(form: { get: (name: string) => unknown }): string {
  const query = new URLSearchParams();
  const add = (name: string, of: string, prefix = '') => {
    const value = String(form.get(of) ?? '').trim();
    if (value) query.append(name, prefix + value);
  };
  add('patient', 'record');
  add('date', 'from', 'ge');
  add('date', 'to', 'le');
  add('agent-role', 'role');
  add('action', 'action');
  query.append('_count', String(PAGE));
  return `AuditEvent?${query}`;
}
