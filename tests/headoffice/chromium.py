"""A real Chromium at the console of a serving head office, for tests: Debian's, driven by Playwright."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from resources import FONT_SANS, font_path

CHROMIUM: Final = "/usr/bin/chromium"
ARGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
FAULTS: Final = """
() => {
  const faults = [];
  const name = (e) =>
    `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''} "${(e.textContent || '').trim().slice(0, 30)}"`;
  const seen = (e) => {
    const r = e.getBoundingClientRect();
    return e.checkVisibility({ visibilityProperty: true }) && r.width > 1 && r.height > 1;
  };
  const parse = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number);
    return n.length > 3 ? n : [...n, 1];
  };
  const light = ([r, g, b]) => {
    const f = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c[3] === 1) return c;
    }
    return [255, 255, 255, 1];
  };
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!e.labels.length && !e.ariaLabel) faults.push(`no label: ${name(e)}`);
  for (const e of document.querySelectorAll('button, a[href]'))
    if (!(e.textContent.trim() || e.ariaLabel)) faults.push(`no name: ${name(e)}`);
  const levels = [...document.querySelectorAll('h1, h2, h3')].map((e) => +e.tagName[1]);
  if (levels.filter((each) => each === 1).length !== 1 || levels[0] !== 1) faults.push(`headings: ${levels}`);
  levels.forEach((each, n) => { if (n && each > levels[n - 1] + 1) faults.push(`headings: ${levels}`); });
  if (!document.documentElement.lang || !document.title) faults.push('no language or title');
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  ids.forEach((id, n) => { if (ids.indexOf(id) !== n) faults.push(`twice: #${id}`); });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !seen(e)) continue;
    if (e.closest('svg, .unseen, .skip, option, meter, progress')) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${name(e)}`);
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push(`${wide} px too wide: ` + [...document.querySelectorAll('main *')]
    .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .slice(0, 3).map(name));
  return [...new Set(faults)];
}
"""
"""What is wrong with a page for somebody who does not see it well, or not with a mouse, or on a phone."""


_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><include>/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>
"""


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """One browser, which has the fonts that the product ships. folder: for its settings."""
    settings = folder / "fonts.conf"
    settings.write_text(_FONTS.format(folder=font_path(FONT_SANS).parent))
    env: dict[str, str | float | bool] = {**os.environ, "FONTCONFIG_FILE": str(settings)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGS), env=env)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def window(browser: Browser, url: str, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A window of its own with its cookies, and what its console complains of."""
    context = browser.new_context(base_url=url, **options)
    page, complaints = context.new_page(), list[str]()

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    try:
        yield page, complaints
    finally:
        context.close()


@contextlib.contextmanager
def leaving(page: Page) -> Iterator[None]:
    """What is done in the block leads to another page: it has been loaded when the block ends. A click alone
    returns while the new page may still be empty."""
    with page.expect_navigation():
        yield


def follow(page: Page, what: str) -> None:
    """Click something that leads to another page."""
    with leaving(page):
        page.click(what)


def enter(page: Page) -> None:
    """Press Enter where that leads to another page."""
    with leaving(page):
        page.keyboard.press("Enter")


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page that is shown, which has been loaded."""
    found: list[str] = page.evaluate(FAULTS)
    return found
