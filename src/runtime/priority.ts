/** Work that is new or has changed comes before a resync, which looks again at what was reconciled before. */
export type Priority = 'new' | 'resync';
