/** The folders in `test/` whose tests use the control plane. */
export const controlPlaneFolders: readonly string[] = ['integration', 'e2e', 'validators/integration'];

/** Returns whether a test file uses the control plane. `path` begins at the root of the project. */
export function usesControlPlane(path: string): boolean {
  return controlPlaneFolders.some((folder) => path.startsWith(`test/${folder}/`));
}
