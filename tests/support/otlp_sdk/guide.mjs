// A program that does what the guide's block says, while a span is under way: node guide.mjs BLOCK. OTEL_* alone say whose
// span it is and where it is sent.
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({
  resource: detectResources({ detectors: [envDetector] }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
await trace.getTracer("guide").startActiveSpan("withdraw", async (span) => {
  await import(process.argv[2]);
  span.end();
});
await provider.shutdown();
