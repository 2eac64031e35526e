/** A queue whose ends are both cheap. */
export interface Fifo<T> {
  push(item: T): void;
  /** Takes the oldest. */
  shift(): T | undefined;
  /** Takes the newest. */
  pop(): T | undefined;
  peek(): T | undefined;
  readonly size: number;
}

/** How many taken places are borne before the rest moves up. */
const SLACK = 1024;

/** Makes an empty queue. */
export function createFifo<T>(): Fifo<T> {
  let items: (T | undefined)[] = [];
  let head = 0;

  function settle(): void {
    if (head === items.length) {
      items.length = 0;
      head = 0;
    } else if (head > SLACK && head * 2 > items.length) {
      items = items.slice(head);
      head = 0;
    }
  }

  return {
    push(item) {
      items.push(item);
    },
    shift() {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head] = undefined;
      head += 1;
      settle();
      return item;
    },
    pop() {
      if (head === items.length) return undefined;
      const item = items.pop();
      settle();
      return item;
    },
    peek: () => items[head],
    get size() {
      return items.length - head;
    },
  };
}
