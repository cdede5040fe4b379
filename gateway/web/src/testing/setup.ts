/** What every unit test stands on. */
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import { asked } from "./paged";

globalThis.fetch = asked;
afterEach(cleanup);
