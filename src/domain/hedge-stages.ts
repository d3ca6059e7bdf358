/** The stages of a hedge in the order in which they happen, and who stamps them. */
export const HEDGE_STAGES = [
  ['fill_frame_ms', 'fill frame received', 'maker'],
  ['frame_parsed_ms', 'parsed', 'maker'],
  ['notice_published_ms', 'notice published', 'maker'],
  ['notice_received_ms', 'notice received', 'hedger'],
  ['hedge_submitted_ms', 'hedge submitted', 'hedger'],
  ['hedge_accepted_ms', 'accepted', 'hedger'],
  ['hedge_executed_ms', 'execution shown', 'hedger'],
  ['hedge_resolved_ms', 'resolved', 'hedger'],
  ['confirmed_ms', 'workflow confirmed', 'workflow'],
] as const;
