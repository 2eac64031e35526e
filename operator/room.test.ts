import { expect, it } from 'vitest';
import { createRoom } from './room.ts';

/** Tasks that end when told, and the names of those that have begun. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const task = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    begun,
    task,
    turn,
    end(name: string) {
      ends.get(name)?.resolve();
      return turn();
    },
    fail(name: string) {
      ends.get(name)?.reject(new Error(name));
      return turn();
    },
  };
}

it('lets in so many at once, the others in order as one ends, however it ends', async () => {
  const room = createRoom(2);
  const { begun, task, turn, end, fail } = tasks();
  const failed = expect(room.whenFree(task('a'))).rejects.toThrow('a');
  for (const name of ['b', 'c', 'd']) void room.whenFree(task(name));
  await turn();
  expect(begun).toEqual(['a', 'b']);
  await fail('a');
  await failed;
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('c');
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

it('keeps nobody who cannot wait, and lets the others in when there is room again', async () => {
  const room = createRoom(1);
  const { begun, task, turn, end } = tasks();
  void room.atOnce(task('a'));
  void room.atOnce(task('b'));
  void room.whenFree(task('c'));
  void room.whenFree(task('d'));
  await turn();
  expect(begun).toEqual(['a', 'b']);
  await end('a');
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('c');
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});
