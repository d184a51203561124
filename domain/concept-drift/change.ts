/** What a detector says of the value that it just read: its mean rose or fell; `warning` is a rise that is not certain yet. */
export type Change = 'none' | 'warning' | 'rise' | 'fall';
