"""Spans as programs with OpenTelemetry send them: OTLP's JSON, and the same in protobuf, written here by hand."""

import base64
import gzip
import json
import struct

PROTOBUF = "application/x-protobuf"
TRACE = "5b8efff798038103d269b633813fc60c"


def attribute(key, value):
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return {"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}


def attributes(values):
    return [attribute(key, value) for key, value in values.items()]


def span(span_id, name="pay", start=1_700_000_000_000_000_123, nanos=2_500_000, parent="", trace=TRACE, moments=(), **more):
    """`moments` are (name, attributes)."""
    events = [{"timeUnixNano": str(start + 1000 * number), "name": moment, "attributes": attributes(values)}
              for number, (moment, values) in enumerate(moments, 1)]
    return {"traceId": trace, "spanId": span_id, "parentSpanId": parent, "name": name, "kind": 1, "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + nanos), "events": events,
            **{key: attributes(value) if key == "attributes" else value for key, value in more.items()}}


def request(spans, service="shop", **resource):
    return {"resourceSpans": [{"resource": {"attributes": attributes({"service.name": service, **resource})},
                               "scopeSpans": [{"scope": {"name": "shop.orders", "version": "1.2"}, "spans": list(spans)}]}]}


def _varint(number):
    out = b""
    number &= (1 << 64) - 1
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _bytes(field, content):
    content = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field, value):
    return _varint(field << 3) + _varint(int(value))


def _fixed64(field, value):
    return _varint(field << 3 | 1) + struct.pack("<Q", int(value))


def _value(value):
    (kind, told), = value.items()
    if kind == "stringValue":
        return _bytes(1, told)
    if kind == "boolValue":
        return _number(2, told)
    if kind == "intValue":
        return _number(3, told)
    if kind == "doubleValue":
        return _varint(4 << 3 | 1) + struct.pack("<d", told)
    if kind == "bytesValue":
        return _bytes(7, base64.b64decode(told))
    if kind == "arrayValue":
        return _bytes(5, b"".join(_bytes(1, _value(each)) for each in told["values"]))
    return _bytes(6, b"".join(_bytes(1, _attribute(each)) for each in told["values"]))


def _attribute(each):
    return _bytes(1, each["key"]) + _bytes(2, _value(each["value"]))


def _attributes(field, message):
    return b"".join(_bytes(field, _attribute(each)) for each in message.get("attributes", []))


def _span(each):
    moments = b"".join(_bytes(11, _fixed64(1, moment["timeUnixNano"]) + _bytes(2, moment["name"]) + _attributes(3, moment))
                       for moment in each.get("events", []))
    links = b"".join(_bytes(13, _bytes(1, bytes.fromhex(link["traceId"])) + _bytes(2, bytes.fromhex(link["spanId"])) + _attributes(4, link))
                     for link in each.get("links", []))
    status = each.get("status", {})
    return (_bytes(1, bytes.fromhex(each["traceId"])) + _bytes(2, bytes.fromhex(each["spanId"])) +
            _bytes(4, bytes.fromhex(each.get("parentSpanId", ""))) + _bytes(5, each["name"]) + _number(6, each["kind"]) +
            _fixed64(7, each["startTimeUnixNano"]) + _fixed64(8, each["endTimeUnixNano"]) + _attributes(9, each) + moments + links +
            _bytes(3, each.get("traceState", "")) + _number(12, each.get("droppedEventsCount", 0)) +
            _varint(16 << 3 | 5) + struct.pack("<I", each.get("flags", 0)) + _bytes(15, _bytes(2, status.get("message", "")) + _number(3, status.get("code", 0))))


def protobuf(whole):
    out = b""
    for resource in whole["resourceSpans"]:
        scopes = b"".join(
            _bytes(2, _bytes(1, _bytes(1, scope["scope"]["name"]) + _bytes(2, scope["scope"]["version"])) +
                   b"".join(_bytes(2, _span(each)) for each in scope["spans"]))
            for scope in resource["scopeSpans"])
        out += _bytes(1, _bytes(1, _attributes(1, resource["resource"])) + scopes)
    return out


def read_messages(message):
    """The fields of a protobuf message, {number: value}: bytes, or a number."""
    fields, at = {}, 0

    def varint():
        nonlocal at
        number, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while at < len(message):
        key = varint()
        value = varint()
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        fields[key >> 3] = value
    return fields


def send(client, whole, encoding="protobuf", compressed=False, path="/v1/traces"):
    """The Answer to a request in one of the encodings."""
    body = protobuf(whole) if encoding == "protobuf" else json.dumps(whole).encode()
    headers = {"Content-Type": PROTOBUF if encoding == "protobuf" else "application/json"}
    if compressed:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return client.request("POST", path, body, headers)
