/** An order's story from a recorded history. */
import { expect, test } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { historyLines, type HistoryEvent } from '../../src/cli/order-story';
import { goldenHistories } from '../replay/histories';

test('steps within a workflow task are told like all others, with their reason and their answer', () => {
  const lines = storyOf('order-steps-in-task');
  expect(lines.map(({ what }) => what)).toEqual(expect.arrayContaining(['arm', 'arm done', 'confirm', 'confirm done']));
  expect(lines.find(({ what }) => what === 'arm')?.summary).toBe('can B hedge up to 0.00020 BTC?');
  expect(lines.find(({ what }) => what === 'arm done')?.details).toEqual({ armed: true });
});

test('one that failed there says so, and is seen again as a step of its own', () => {
  const told = storyOf('order-cancelled-arming-as-step').map(({ what }) => what);
  expect(told.filter((what) => what.startsWith('arm'))).toEqual(['arm', 'arm FAILED', 'arm', 'arm done']);
});

function storyOf(scenario: string): ReturnType<typeof historyLines> {
  const golden = goldenHistories().find((each) => each.scenario === scenario);
  return historyLines((historyFromJSON(golden?.history).events ?? []) as unknown as HistoryEvent[]);
}
