/**
 * Ids of changes to the workflows' commands that runs of an older release must not see: `patched(ID)` is false while such a run
 * replays. None yet: nothing has been released.
 *
 * An entry says since which release it holds and what a run did before. It may go once no run that began before it is open or
 * replayed any more.
 */
export {};
