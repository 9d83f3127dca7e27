import { jest } from '@jest/globals';

// For a machine that is three times as slow as ours; a test that works does not wait for it.
jest.setTimeout(240_000);
