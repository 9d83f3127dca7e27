/** Starts what the project cluster needs. */
export default async function setUp(): Promise<void> {}
