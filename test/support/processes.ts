import { spawnSync } from 'node:child_process';

interface Process {
  pid: number;
  parent: number;
  command: string;
}

/** Returns all processes that run. */
export function processes(): Process[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** Returns the processes that `pid` started, and those that they started. */
export function descendants(pid: number, all: readonly Process[] = processes()): Process[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.concat(...children.map((child) => descendants(child.pid, all)));
}
