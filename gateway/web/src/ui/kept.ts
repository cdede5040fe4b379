/** The few choices that a browser keeps between visits. Never anything about a patient. */
type Choice = "language" | "keys";

export const kept = {
  get(choice: Choice): string {
    try {
      return localStorage.getItem(`carehub-${choice}`) ?? "";
    } catch {
      return ""; // a browser that keeps nothing
    }
  },
  set(choice: Choice, value: string): void {
    try {
      localStorage.setItem(`carehub-${choice}`, value);
    } catch {
      // It is asked again next time.
    }
  },
};
