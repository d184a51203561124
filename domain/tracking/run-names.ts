/** Names of runs that were given none: an adjective, a noun and a number, as MLflow's clients expect them. */

const ADJECTIVES = ['able', 'bold', 'brave', 'bright', 'calm', 'clean', 'clever', 'crisp', 'eager', 'fair', 'fast', 'fine', 'fresh', 'glad', 'grand', 'keen', 'kind', 'lively', 'loud', 'merry', 'neat', 'noble', 'polite', 'proud', 'quick', 'quiet', 'rare', 'sharp', 'shy', 'smooth', 'sunny', 'swift', 'tidy', 'upbeat', 'warm', 'wise'];
const NOUNS = ['ash', 'aspen', 'bear', 'bee', 'birch', 'cedar', 'clover', 'crane', 'crow', 'deer', 'elm', 'fern', 'finch', 'fox', 'frog', 'goat', 'hare', 'hawk', 'heron', 'ivy', 'jay', 'lark', 'lily', 'lynx', 'maple', 'mink', 'mole', 'moss', 'moth', 'newt', 'oak', 'otter', 'owl', 'pine', 'quail', 'robin', 'rose', 'seal', 'shrew', 'sloth', 'snail', 'stork', 'swan', 'thrush', 'toad', 'trout', 'vole', 'wasp', 'whale', 'willow', 'wren', 'yew'];

/** `random` gives numbers from 0 to below 1. */
export const inventRunName = (random: () => number): string => {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? 'run';
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${Math.floor(random() * 1_000)}`;
};
