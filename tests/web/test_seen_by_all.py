"""Contrast, names, narrow windows, less motion: in both themes, on every view."""

import pytest

from support.browser import Keys
from support.pages import trace_with_services

# Text against what is behind it, as WCAG has it; of backgrounds with alpha, what they lie on.
CONTRAST = r"""
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => { const f = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
const behind = (element) => { for (let at = element; at; at = at.parentElement) { const color = rgba(getComputedStyle(at).backgroundColor); if (color[3] === 255) return color; } return [255, 255, 255]; };
const bad = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('.unseen, .skip, noscript, :disabled')) continue;
  const style = getComputedStyle(element);
  const [a, b] = [light(rgba(element instanceof SVGElement ? style.fill : style.color)), light(behind(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.className.baseVal ?? element.className} ${walker.currentNode.data.slice(0, 40)}`);
}
return bad;
"""

NAMELESS = r"""
const name = (e) => e.getAttribute('aria-label') || e.innerText?.trim() || e.labels?.[0]?.innerText || e.title;
return [...document.querySelectorAll('a[href], button, input, select, [role=grid], [role=tablist], [role=tabpanel], nav, dialog, svg[role]')]
  .filter(e => e.checkVisibility() && !name(e)).map(e => e.outerHTML.slice(0, 120));
"""

DUPLICATES = "const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.filter((id, at) => ids.indexOf(id) !== at)"


@pytest.fixture(scope="module")
def views(recorded):
    trace = f"/traces/{trace_with_services(recorded, 3)}"
    key = recorded.get("/api/races", page=1, page_size=1)["races"][0]["key"]
    return ["/traces", *(f"{trace}?view={tab}" for tab in ["diagram", "events", "races", "variables", "path", "services"]),
            "/traces/transfer?view=events&sel=e2&mark=e3", "/races", f"/races/{key}", "/variables", "/variables/balance",
            "/services", "/services/python-service", "/storage", "/send"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_it_can_be_read_and_is_named(page, views, theme, width):
    page.resize(width)
    page.scheme(theme)
    for view in views:
        page.open(view)
        page.gone("[aria-busy]")
        assert page.run(CONTRAST) == [], view
        assert page.run(NAMELESS) == [], view
        assert page.run(DUPLICATES) == [], view
        assert page.run("return document.querySelectorAll('main h1').length") == 1, view
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), f"{view} is wider than the window"


def test_what_is_focused_is_seen(page):
    page.open("/traces")
    page.find("main .rows [role=row]", "POST /process")
    seen = set()
    while True:
        page.press(Keys.TAB)
        if page.run("return document.activeElement === document.body"):  # once around
            break
        outline = page.run("const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1")
        assert outline, page.focused()
        seen.add(page.focused())
    assert len(seen) > 15


def test_less_motion_is_none(page):
    page.scheme("light", **{"prefers-reduced-motion": "reduce"})
    page.open("/traces")
    page.find(".lamp")
    assert page.run("return document.getAnimations().length") == 0


def test_forced_colours_leave_the_selection(page):
    page.scheme("light", **{"forced-colors": "active"})
    page.open("/traces/transfer?view=events&sel=e2")
    page.find(".row.selected")
    assert page.run("return getComputedStyle(document.querySelector('.row.selected')).outlineStyle") == "solid"


def test_changes_are_spoken(page):
    page.open("/traces/transfer")
    page.until("return document.querySelector('[aria-live=polite]').textContent === '1 race'", "the number of races is told")
