import { jest } from '@jest/globals';

// The timeout is for a busy machine. A test that passes does not wait for it.
jest.setTimeout(240_000);
