/**
 * Temporal's list of runs, as far as src asks it: `WorkflowId STARTS_WITH …`, comparisons, AND, OR, brackets.
 *
 * What it cannot read it rejects loudly, so that a new query is noticed here and not answered by an empty list.
 */
export interface Listed {
  readonly id: string;
  readonly end: 'completed' | 'canceled' | 'terminated' | undefined;
  readonly startedMs: number;
  readonly closedMs: number | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

type Test = (run: Listed) => boolean;

const known = new Map<string, Test>();

/** Times of a query change all the time, its shape never. */
export function testOf(query: string): Test {
  let test = known.get(query);
  if (test === undefined) {
    if (known.size > 1_000) known.clear();
    known.set(query, (test = parse(query)));
  }
  return test;
}

function parse(query: string): Test {
  const tokens = query.match(/"[^"]*"|[A-Za-z_]+|>=|<=|!=|[()=<>]/g) ?? [];
  let at = 0;
  const take = (): string => tokens[at++] ?? '';
  const either = (): Test => {
    const parts = [both()];
    while (tokens[at] === 'OR') {
      take();
      parts.push(both());
    }
    return (run) => parts.some((part) => part(run));
  };
  const both = (): Test => {
    const parts = [one()];
    while (tokens[at] === 'AND') {
      take();
      parts.push(one());
    }
    return (run) => parts.every((part) => part(run));
  };
  const one = (): Test => {
    const name = take();
    if (name === '(') {
      const inner = either();
      if (take() !== ')') throw new Error(`unreadable query: ${query}`);
      return inner;
    }
    const operator = take();
    const value = take();
    if (!value.startsWith('"')) throw new Error(`unreadable query: ${query}`);
    return comparison(name, operator, value.slice(1, -1));
  };
  const test = either();
  if (at !== tokens.length) throw new Error(`unreadable query: ${query}`);
  return test;
}

function comparison(name: string, operator: string, value: string): Test {
  const timeMs = Date.parse(value);
  switch (`${name} ${operator}`) {
    case 'WorkflowId STARTS_WITH':
      return ({ id }) => id.startsWith(value);
    case 'WorkflowId =':
      return ({ id }) => id === value;
    case 'WorkflowType =':
      return ({ id }) => id.startsWith(value === 'pair' ? 'pair/' : 'order/');
    case 'ExecutionStatus =':
      return ({ end }) => (end ?? 'running') === value.toLowerCase();
    case 'ExecutionStatus !=': // a run that goes on in a new one is one run here
      return ({ end }) => (end ?? 'running') !== value.toLowerCase();
    case 'CloseTime >':
      return ({ closedMs }) => closedMs !== undefined && closedMs > timeMs;
    case 'StartTime <':
      return ({ startedMs }) => startedMs < timeMs;
    case 'StartTime >':
      return ({ startedMs }) => startedMs > timeMs;
    default:
      if (operator !== '=' || name.endsWith('Time'))
        throw new Error(`the simulation cannot list by ${name} ${operator}`);
      return ({ attributes }) => attributes[name] === value;
  }
}
