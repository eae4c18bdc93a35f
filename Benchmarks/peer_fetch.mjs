// The same search by Node's own fetch, with its defaults (HTTP/1.1). The authority comes by NODE_EXTRA_CA_CERTS.
//
//     node peer_fetch.mjs throughput BASE_URL IN_FLIGHT CALLS     prints calls per second and processor time for each
//     node peer_fetch.mjs network    BASE_URL                     obeys words from standard input, as bench_network does
import { createInterface } from "node:readline";

const [mode, baseUrl, inFlight, calls] = process.argv.slice(2);
const range = { start_at: "2030-01-14T09:00:00Z", end_at: "2030-01-14T17:00:00Z" };
const request = {
  method: "POST",
  headers: {
    "Authorization": "Bearer sk_ptnr_bench0123456789abcdef", "Content-Type": "application/json",
    "Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "libpartnerbooking/0.1.0",
  },
  body: JSON.stringify({ bot_id: "bot_01h2xcejqtf2nbrexx3vqjhp41", query: { filter: { start_at_range: range } } }),
};

async function search(timeout) {
  const options = timeout === undefined ? request : { ...request, signal: AbortSignal.timeout(timeout) };
  const reply = await fetch(`${baseUrl}/v1/availability/search`, options);
  return reply.status === 200 && (await reply.text()).length > 0;
}

async function many(count) {
  let left = count;
  async function oneAfterAnother() {
    while (left-- > 0) if (!await search()) throw new Error("a search failed");
  }
  await Promise.all(Array.from({ length: Number(inFlight) }, oneAfterAnother));
}

function answer(begun, ok) {
  console.log(JSON.stringify({ ms: performance.now() - begun, ok }));
}

if (mode === "throughput") {
  const count = Number(calls);
  await many(Math.ceil(count / 4));
  const begun = performance.now(), usage = process.cpuUsage();
  await many(count);
  const { user, system } = process.cpuUsage(usage), seconds = (performance.now() - begun) / 1000;
  console.log(JSON.stringify({ cpu_us: (user + system) / count, calls_per_s: count / seconds }));
  process.exit(0);
}
for await (const word of createInterface({ input: process.stdin })) {
  const begun = performance.now();
  let ok = true;
  if (word === "open") {
    await (await fetch("data:,")).text(); // loads its client, which it does on first use
  } else if (word === "search") {
    ok = await search(5000).catch((error) => (console.error(error.cause?.code ?? error.name), false));
  }
  answer(begun, ok);
  if (word === "close") process.exit(0); // its pool of connections lives as long as the process
}
