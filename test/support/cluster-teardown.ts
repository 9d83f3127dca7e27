/** Stops what cluster-setup started. */
export default async function tearDown(): Promise<void> {}
