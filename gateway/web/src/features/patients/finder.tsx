/** To come. */
export default function PatientFinder(_: { close: () => void }) {
  return null;
}
