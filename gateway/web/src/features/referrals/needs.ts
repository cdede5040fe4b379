/** The needs that a partner can help with, as Gravity names them; those that are asked for most come first. */
export const RIDES = "transportation-insecurity";

export const NEEDS = [
  RIDES,
  "food-insecurity",
  "housing-instability",
  "homelessness",
  "inadequate-housing",
  "utility-insecurity",
  "financial-insecurity",
  "material-hardship",
  "medical-cost-burden",
  "health-insurance-coverage-status",
  "social-connection",
  "stress",
  "digital-access",
  "digital-literacy",
  "language-access",
  "personal-health-literacy",
  "employment-status",
  "educational-attainment",
  "veteran-status",
  "incarceration-status",
  "intimate-partner-violence",
  "elder-abuse",
] as const;
export type Need = (typeof NEEDS)[number];

export const isNeed = (text: string): text is Need => NEEDS.some((each) => each === text);
