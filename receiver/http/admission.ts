/** How much may be under way at once before senders are told to come back: bounds what unanswered requests hold. */
export interface Admission {
  /** Takes a place for a request whose body is read; false where none is free (503). */
  enter(): boolean;
  /** Gives the place back; to be called once per `enter` that answered true. */
  leave(): void;
  /** Takes memory for that many bytes of a body, which need not be whole; false where there is none (503). */
  hold(bytes: number): boolean;
  /** Gives memory back that `hold` has granted. */
  release(bytes: number): void;
}

/** What an Admission gives out. */
export interface AdmissionLimits {
  /** Requests under way. */
  readonly places: number;
  /** Of bodies, read in whole or in part. */
  readonly bytes: number;
}

/**
 * Makes an Admission. Places and bytes are apart, so that a sender which is slow holds no more than the bytes that it has
 * sent, and takes nobody's place.
 */
export function createAdmission(limits: AdmissionLimits): Admission {
  let { places, bytes } = limits;
  return {
    enter() {
      if (places === 0) return false;
      places -= 1;
      return true;
    },
    leave() {
      places += 1;
    },
    hold(more) {
      if (more > bytes) return false;
      bytes -= more;
      return true;
    },
    release(held) {
      bytes += held;
    },
  };
}
