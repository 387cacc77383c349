"""The pictures of the page in README.md, taken anew into server/web: `cd tests && /usr/bin/python3 -m support.pictures`."""

import pathlib
import struct
import zlib
from collections import Counter

from support import otlp_bank, paths
from support.browser import Browser
from support.pages import fill
from support.store import Store

PICTURES = paths.ROOT / "server" / "web"


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def rows_of(png):
    """The rows of pixels, and how many bytes one of them takes (PNG, 9: each row is told by what it differs in)."""
    at, data, width, depth = 8, b"", 0, 0
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        content = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, depth = struct.unpack(">I", content[:4])[0], {2: 3, 6: 4}[content[9]]
        if kind == b"IDAT":
            data += content
        at += 12 + size
    data, line, above = zlib.decompress(data), width * depth + 1, bytes(width * depth)
    for start in range(0, len(data), line):
        way, row = data[start], bytearray(data[start + 1:start + line])
        for x in range(len(row)):
            left, up, corner = (row[x - depth], above[x], above[x - depth]) if x >= depth else (0, above[x], 0)
            nearest = min((left, up, corner), key=lambda each, at=left + up - corner: abs(at - each))
            row[x] = row[x] + (0, left, up, (left + up) // 2, nearest)[way] & 255
        yield [bytes(row[x:x + 3]) for x in range(0, len(row), depth)]
        above = row


def packed(png):
    """The same picture in its 256 most frequent colours, which is a third of the bytes and as good to look at."""
    rows = list(rows_of(png))
    often = Counter(pixel for row in rows for pixel in row).most_common()
    palette = [pixel for pixel, _ in often[:256]]
    place = {pixel: min(range(len(palette)), key=lambda k, pixel=pixel: sum((x - y) ** 2 for x, y in zip(palette[k], pixel))) for pixel, _ in often}
    data = b"".join(b"\0" + bytes(place[pixel] for pixel in row) for row in rows)
    head = struct.pack(">2I5B", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    return png[:8] + chunk(b"IHDR", head) + chunk(b"PLTE", b"".join(palette)) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def take(browser, name):
    browser.gone("[aria-busy]")
    browser.find(".live", "live")
    browser.run("document.activeElement.blur()")
    browser.settled()
    (PICTURES / name).write_bytes(packed(browser.picture()))


def main():
    with Store("memory", None, "pictures") as store:
        fill(store)
        otlp_bank.run(store.server.url)
        browser = Browser()
        try:
            browser.begin(store.server.url)
            browser.resize(1240, 660)
            browser.open("/traces?races=1")
            browser.click("main .rows [role=row]", "two withdrawals")
            browser.find(".dg-race", "3 races")
            take(browser, "trace.png")
            browser.scheme("dark")
            browser.open("/races")
            browser.click(".story-head", "bank.js:45")
            browser.find(".story", "Neither saw the other")
            take(browser, "races.png")
        finally:
            browser.close()
    for picture in sorted(PICTURES.glob("*.png")):
        print(f"{picture.relative_to(pathlib.Path.cwd().parent)}: {picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
