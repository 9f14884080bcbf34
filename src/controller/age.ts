/** By a clock that was set back it is not: nobody is kept waiting, and nothing trusted, for what has yet to come. */
export const isWithin = (age: number, ms: number): boolean => age >= 0 && age < ms;
