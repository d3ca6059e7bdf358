/** Definitions of messages carry nothing but their name. */
export interface Definition {
  readonly name: string;
}

export const defineQuery = (name: string): Definition => ({ name });
export const defineSignal = (name: string): Definition => ({ name });
export const defineUpdate = (name: string): Definition => ({ name });
