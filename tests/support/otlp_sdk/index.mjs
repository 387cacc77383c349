// A program with OpenTelemetry's SDK: a request withdraws from one account twice, and what settles it is linked to both
// withdrawals. Ids and times are fixed, so that every run has the same spans. All of them wait for the shutdown.
// Each answer that the SDK is given, and each of its complaints, is a line of JSON on stdout.
import { subscribe } from "node:diagnostics_channel";
import { parseArgs } from "node:util";
import { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const { values: asked } = parseArgs({
  options: {
    url: { type: "string" },
    encoding: { type: "string" },
    compression: { type: "string", default: "none" },
    more: { type: "string", default: "0" }, // so many spans more, all alike
    zero: { type: "boolean", default: false }, // and one whose id is all zeros
  },
});

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const complain = (...words) => say({ complaint: words.join(" ") });
diag.setLogger({ error: complain, warn: complain, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
subscribe("http.client.response.finish", ({ request, response }) =>
  say({
    status: response.statusCode,
    retryAfter: response.headers["retry-after"],
    type: request.getHeader("content-type"),
    encoding: request.getHeader("content-encoding"),
  }),
);

const hex = (number, digits) => number.toString(16).padStart(digits, "0");
let spans = 0;
const ids = {
  zero: false,
  generateTraceId: () => "5b8efff798038103d269b633813fc60c",
  generateSpanId: () => hex(ids.zero ? 0 : ++spans, 16),
};

const Exporter = asked.encoding === "json" ? JsonExporter : ProtobufExporter;
const exporter = new Exporter({ url: asked.url, compression: asked.compression, timeoutMillis: 60_000 });
const anHour = 3_600_000;
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "bank", "service.instance.id": "bank-1", "process.pid": 7 }),
  idGenerator: ids,
  spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: anHour, maxQueueSize: 10_000 })],
});
const tracer = provider.getTracer("bank.transfers", "1.2");
const at = (nanos) => [1_700_000_000, nanos];

const root = tracer.startSpan(
  "POST /transfer",
  {
    kind: SpanKind.SERVER,
    startTime: at(1_000_001),
    attributes: { "http.request.method": "POST", "url.path": "/transfer", share: 0.5, whole: 2 ** 53 - 1, yes: true, list: ["a", "b"] },
  },
  ROOT_CONTEXT,
);
const below = trace.setSpan(ROOT_CONTEXT, root);
const fromAfar = trace.setSpanContext(ROOT_CONTEXT, { ...root.spanContext(), isRemote: true });

function withdraw(line, to, context) {
  const span = tracer.startSpan("withdraw", { startTime: at(2_000_000) }, context);
  const place = { "code.file.path": "bank.mjs", "code.line.number": line, "thread.id": line };
  const access = { "raceway.variable": "balance", "raceway.access": "write", "raceway.old": 100, "raceway.new": to };
  span.addEvent("balance", { ...access, ...place }, at(2_000_500 + line));
  span.end(at(3_000_000 + line));
  return span.spanContext();
}
const withdrawals = [withdraw(12, 90, below), withdraw(21, 80, fromAfar)];

const links = withdrawals.map((context) => ({ context, attributes: { why: "settles" } }));
const settling = tracer.startSpan("settle", { startTime: at(4_000_000), links }, below);
settling.addEvent("exception", { "exception.type": "Overdrawn", "exception.message": "by 10", "exception.stacktrace": "a\nb" }, at(4_000_100));
settling.setStatus({ code: SpanStatusCode.ERROR, message: "overdrawn" });
settling.end(at(4_500_000));

for (let count = 0; count < Number(asked.more); ++count) {
  tracer.startSpan("more", { startTime: at(5_000_000 + count) }, below).end(at(6_000_000));
}
ids.zero = asked.zero;
if (asked.zero) tracer.startSpan("nobody", { startTime: at(5_000_000) }, below).end(at(6_000_000));
root.setAttribute("http.response.status_code", 409);
root.end(at(7_000_000));
await provider.shutdown();
