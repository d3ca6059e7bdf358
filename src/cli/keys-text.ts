/** What `keys` is about to do with an account, what stands in its way, what came of it: decided and said here. Pure. */
import type { AccountRole } from '../config';
import type { Checked, Lane } from '../keys';
import type { KeysOperation } from './keys-command';
import { table } from './table';

export interface Job {
  /** Lanes whose slot gets a key. */
  readonly work: readonly number[];
  readonly blockers: readonly string[];
  readonly notes: readonly string[];
}

export interface Place {
  readonly role: AccountRole;
  readonly file: string;
}

export function jobOf(
  operation: KeysOperation,
  lanes: readonly Lane[],
  { role, file }: Place,
  chosen: readonly number[] = [],
): Job {
  const unknown = chosen.filter((lane) => !lanes.some((known) => known.lane === lane));
  const work: number[] = [];
  const blockers = unknown.map((lane) => `API key ${lane} is no lane of the ${role} account: ${listOf(lanes)}`);
  const notes: string[] = [];
  for (const lane of lanes) {
    if (chosen.length > 0 && !chosen.includes(lane.lane)) continue;
    const step = operation === 'register' ? registering(lane, role, file) : rotating(lane, role, file, chosen);
    if (step === 'work') work.push(lane.lane);
    else if ('blocker' in step) blockers.push(`API key ${lane.lane}: ${step.blocker}`);
    if (step !== 'work' && 'note' in step) notes.push(`API key ${lane.lane}: ${step.note}`);
    if (step !== 'work' && 'alsoWork' in step) work.push(lane.lane);
  }
  return { work, blockers, notes };
}

type Step = 'work' | { readonly blocker: string } | { readonly note: string; readonly alsoWork?: true };

function registering({ lane, state, isRotating }: Lane, role: AccountRole, file: string): Step {
  const rotate = `counterleg keys rotate ${role} --lane ${lane}`;
  switch (state) {
    case 'unregistered':
      return 'work';
    case 'missing':
      return { blocker: `${file} has no key for it: counterleg keys create ${role}` };
    case 'taken':
      return {
        blocker:
          `its slot holds another key than ${file}: something else may trade with it. Take another index in the configuration; ` +
          `or, when nothing uses it, put the file's place in order with a new key: ${rotate}`,
      };
    case 'unlisted':
      return {
        blocker: `its slot is empty, and ${file} has only the private half of its key: ${rotate} makes a new one`,
      };
    case 'registered':
    case 'unread':
      return { note: isRotating ? `registered; a rotation was begun and not finished: ${rotate}` : 'registered' };
  }
}

function rotating(lane: Lane, role: AccountRole, file: string, chosen: readonly number[]): Step {
  switch (lane.state) {
    case 'missing':
      return { blocker: `${file} has no key for it: counterleg keys create ${role}` };
    case 'unregistered':
      return { blocker: `its slot is empty: counterleg keys register ${role}` };
    case 'taken':
      if (!chosen.includes(lane.lane))
        return {
          blocker: `its slot holds another key than ${file}: name it (--lane ${lane.lane}) to replace a key that is not yours to see`,
        };
      return {
        note: 'its slot holds a key that is not in the file; whatever uses that one is shut out',
        alsoWork: true,
      };
    case 'registered':
    case 'unread':
    case 'unlisted':
      if (lane.isReplaced) return { note: 'replaced by the run before, and proven now' };
      if (lane.isRotating) return { note: 'its new key was made by the run before', alsoWork: true };
      return 'work';
  }
}

export function planText(
  operation: KeysOperation,
  account: string,
  lanes: readonly Lane[],
  { work, notes }: Job,
  steps: readonly string[],
): string {
  const verb = operation === 'register' ? 'to register' : 'to replace';
  const rows = lanes.map(({ lane, use, state }) => [
    ...[`  ${lane}`, use, state],
    work.includes(lane) ? `${verb}: one signature of the owner` : '',
  ]);
  const titles = [{ title: '  key' }, { title: 'for' }, { title: 'is' }, { title: '' }];
  return [
    account,
    table(titles, rows),
    ...notes.map((note) => `  ${note}`),
    ...steps.map((step) => `  then: ${step}`),
  ].join('\n');
}

export interface AccountOutcome {
  readonly role: AccountRole;
  readonly accountIndex: number;
  readonly owner: string;
  readonly file: string;
  readonly checked: readonly Checked[];
  readonly left: readonly string[];
}

/** What is still to do for a lane, or nothing. */
export function leftOf({ lane: { lane, state, isRotating }, proof }: Checked, role: AccountRole): readonly string[] {
  const what = `API key ${lane} of the ${role} account`;
  if (state === 'missing') return [`${what} has no key: counterleg keys create ${role}`];
  if (state === 'unregistered') return [`${what} is not registered: counterleg keys register ${role}`];
  if (state === 'taken' || state === 'unlisted')
    return [`${what} does not hold the key of the file: counterleg keys register ${role} says what to do`];
  if (proof?.kind === 'rejected')
    return [`${what} is listed, but the exchange rejects what it signs: ${proof.why}. Do not trade with it`];
  if (proof?.kind === 'unseen') return [`${what} is not proven: ${proof.why}`];
  return isRotating ? [`${what} was to be replaced: counterleg keys rotate ${role} --lane ${lane}`] : [];
}

export function outcomeText({ role, accountIndex, checked, left }: AccountOutcome): string {
  const rows = checked.map(({ lane, proof }) => [`  ${lane.lane}`, lane.use, lane.state, proofText(proof)]);
  const titles = [{ title: '  key' }, { title: 'for' }, { title: 'is' }, { title: '' }];
  return [`account of the ${role}, ${accountIndex}`, table(titles, rows), ...left.map((what) => `LEFT  ${what}`)].join(
    '\n',
  );
}

function proofText(proof: Checked['proof']): string {
  if (proof === undefined) return '';
  return {
    proven: 'proven: a transaction of it executed',
    used: 'in use by a running process, which proves it',
    rejected: 'rejected',
    unseen: 'not proven',
  }[proof.kind];
}

function listOf(lanes: readonly Lane[]): string {
  return `it has ${lanes.map(({ lane }) => lane).join(', ')}`;
}
