/** A gate that decided is done, whatever it said, and so is a rollout that went back; what people look for is the no. */
export const shownState = (runState: string, { name, state }: { name: string; state: string }): string => {
  if (runState === 'rejected' && name === 'gate') return 'rejected';
  if (runState === 'rolledBack' && name === 'rollout') return 'rolledBack';
  return state;
};
