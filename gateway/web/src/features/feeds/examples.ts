/** Messages to try, about nobody, in the way of a feed. */

/** "PV1|1|I": fields by their number in the standard. */
function segment(name: string, fields: Record<number, string>): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, at) => fields[at + 1] ?? "")].join("|");
}

function header(sender: string, event: string): string {
  const made = "20260904174500-0500";
  return `MSH|^~\\&|EHR|${sender}|CAREHUB|NETWORK|${made}||ADT^${event}|TRY-1|P|2.5.1`;
}

const RECORDED = { 2: "20260904174500-0500" };
const STAY = { 1: "1", 2: "I", 3: "5WEST^512^1", 19: "V-17" };

export function examples(sender: string) {
  const number = (value: string) => `${value}^^^${sender}^MR`;
  return {
    discharge: [
      header(sender, "A03"),
      segment("EVN", { ...RECORDED, 6: "20260904174000-0500" }),
      segment("PID", {
        1: "1",
        3: number("70415"),
        5: "Ejemplo^Marisol",
        7: "19480302",
        8: "F",
        13: "(312)555-0142",
        15: "es",
      }),
      segment("PV1", {
        ...STAY,
        36: "01",
        44: "20260901101500-0500",
        45: "20260904174000-0500",
      }),
      segment("DG1", { 1: "1", 3: "I50.9^Heart failure^I10C", 6: "F" }),
    ].join("\n"),
    class: [
      header(sender, "A01"),
      segment("EVN", RECORDED),
      segment("PID", { 1: "1", 3: number("70416"), 5: "Fictive^Lena", 7: "19710114", 8: "F" }),
      segment("PV1", { ...STAY, 2: "4W-OBS" }),
      "ZQX|1|LOCAL|free text",
    ].join("\n"),
    broken: [header(sender, "A03"), segment("EVN", { 2: "yesterday" }), segment("PV1", STAY)].join(
      "\n",
    ),
  };
}
