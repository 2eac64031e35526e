/** How much may be under way at once before senders are told to come back: bounds the memory that unanswered requests hold. */
export interface Admission {
  /** Takes a place for a request; false where none is free (503). */
  enter(): boolean;
  /** Gives the place back; to be called once per `enter` that answered true. */
  leave(): void;
  readonly underWay: number;
}

/** Makes an Admission of `places` requests. */
export function createAdmission(places: number): Admission {
  let underWay = 0;
  return {
    enter() {
      if (underWay >= places) return false;
      underWay += 1;
      return true;
    },
    leave() {
      underWay -= 1;
    },
    get underWay() {
      return underWay;
    },
  };
}
