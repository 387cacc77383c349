"""A headless Chromium, driven by Selenium: one for a whole run, whose console has to stay clean."""

import os
import re
import tempfile

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support import paths
from support.wait import wait_until

FLAGS = ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1", "--hide-scrollbars",
         "--lang=en-US", "--window-size=1440,900"]
PATIENCE = 20
SCREENSHOTS = paths.BUILD / "test-logs" / "screenshots"

__all__ = ["Browser", "Keys"]


class Browser:
    """Its methods wait for what they are about, and never for time. Not thread-safe."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="rww-", ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={self.profile.name}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.origin = None
        self.allowed = []

    def close(self):
        self.driver.quit()
        self.profile.cleanup()

    # Going somewhere

    def begin(self, origin):
        """As a visitor who has never been there."""
        self.origin = origin
        self.allowed = []
        self.resize(1440, 900)
        self.scheme("light")
        self.open("/storage")
        self.run("sessionStorage.clear(); localStorage.clear()")
        self.driver.get_log("browser")

    def open(self, path):
        self.driver.get(self.origin + path)
        self.find("main#main > *")

    def reload(self):
        self.driver.refresh()
        self.find("main#main > *")

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.origin)

    def at(self, pattern):
        """Waits until the path, with its query, is like that."""
        wait_until(lambda: re.fullmatch(pattern, self.path), PATIENCE, f"the address {pattern}; it is {self.path}")

    def resize(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def scheme(self, theme, **features):
        media = {"prefers-color-scheme": theme, **features}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": name, "value": value} for name, value in media.items()]})

    # Looking

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, css, text=None):
        """The first shown element, with that text in it."""
        def look():
            try:
                for element in self.driver.find_elements(By.CSS_SELECTOR, css):
                    if (text is None or text in element.text) and element.is_displayed():
                        return element
            except (StaleElementReferenceException, NoSuchElementException):
                pass
            return None
        return wait_until(look, PATIENCE, f"{css!r} with {text!r}; there is: {self.text('body')[:1500]}")

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText ?? e.textContent).join('\\n')", css)

    def gone(self, css, text=""):
        wait_until(lambda: text not in self.text(css) if text else not self.all(css), PATIENCE, f"{css!r} {text!r} is gone")

    def until(self, script, what):
        return wait_until(lambda: self.run(script), PATIENCE, what)

    # Doing

    def click(self, css, text=None):
        def attempt():
            try:
                self.find(css, text).click()
                return True
            except StaleElementReferenceException:
                return False
        wait_until(attempt, PATIENCE, f"click {css!r}")

    def type(self, css, *keys):
        self.find(css).send_keys(*keys)

    def press(self, *keys):
        """To whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self):
        return self.run("const e = document.activeElement; return e.innerText || e.getAttribute('aria-label') || e.tagName")

    # What must not be

    def allow(self, *patterns):
        """Complaints of the console that the test brings about."""
        self.allowed += patterns

    def complaints(self):
        """What the console has to complain of, since this was asked."""
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")
                and not any(re.search(pattern, entry["message"]) for pattern in self.allowed)]

    def settled(self):
        """Waits until nothing moves and two frames have been drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; Promise.all(document.getAnimations().filter(a => a.effect.getTiming().iterations !== Infinity)"
            ".map(a => a.finished)).then(() => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def picture(self):
        """What is to be seen, as PNG."""
        return self.driver.get_screenshot_as_png()

    def screenshot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        file = SCREENSHOTS / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.png"
        self.driver.save_screenshot(str(file))
        return file
