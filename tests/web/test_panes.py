"""Every pane of the Connect page: usable by everybody, in either theme, at any width, in any language, and within its policy."""

from collections.abc import Callable

import pytest

from tests.browser import DESKTOP, PHONE
from tests.web.panes import PANES
from tests.web.stage import Scene

NARROW = {"width": 320, "height": 640}
_SPILLS = """[...document.querySelectorAll('.card-frame *')].filter(one => {
    const style = getComputedStyle(one);
    return one.scrollWidth > one.clientWidth + 1 && style.display !== 'inline' && style.overflowX === 'visible'
        && one.clientWidth > 0 && !one.closest('svg, .hidden, .switch') }).map(one => one.tagName + '.' + one.className)"""
_PLAIN_TEXT = """(() => { const walker = document.createTreeWalker(document.querySelector('omnifolio-connect-page'), NodeFilter.SHOW_TEXT);
    const found = []; let inside = 0;
    while (walker.nextNode()) { const node = walker.currentNode, text = node.data.trim();
        if (!text || node.parentElement.closest('[translate=no], [lang=en]')) continue;
        inside += (text.match(/⟦/g) ?? []).length;
        if (inside === 0 && /\\p{L}/u.test(text)) found.push(text);
        inside -= (text.match(/⟧/g) ?? []).length; }
    for (const one of document.querySelectorAll('[aria-label], [placeholder], [title]'))
        for (const name of ['aria-label', 'placeholder', 'title']) { const text = one.getAttribute(name);
            if (text && !/⟦/.test(text) && one.getAttribute('translate') !== 'no') found.push(name + '=' + text); }
    return found })()"""
NAMED_BY_VENUE = {"aria-label=Binance"}


@pytest.mark.parametrize("pane", PANES)
def test_a_pane_is_accessible_in_both_themes_and_at_every_width(scene: Callable[..., Scene], pane: str) -> None:
    shown = scene(viewport=PHONE)
    PANES[pane](shown)
    watched = shown.watched
    found = {"phone": watched.accessibility()}
    watched.picture(f"connect-{pane}-phone-light")
    shown.page.emulate_media(color_scheme="dark")
    watched.picture(f"connect-{pane}-phone-dark")
    shown.page.set_viewport_size({**DESKTOP})
    found["desktop"] = watched.accessibility()
    watched.picture(f"connect-{pane}-desktop-dark")
    shown.page.emulate_media(color_scheme="light")
    watched.picture(f"connect-{pane}-desktop-light")
    assert found == {"phone": [], "desktop": []}
    shown.page.set_viewport_size({**NARROW})
    assert shown.page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    assert shown.page.evaluate(_SPILLS) == []
    assert watched.faults == []


@pytest.mark.parametrize("pane", PANES)
def test_every_text_of_a_pane_can_be_translated_and_a_longer_language_fits(scene: Callable[..., Scene], pane: str) -> None:
    shown = scene(viewport=NARROW)
    PANES[pane](shown, lang="en-XA")
    assert set(shown.page.evaluate(_PLAIN_TEXT)) - NAMED_BY_VENUE == set()
    assert shown.page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    assert shown.page.evaluate(_SPILLS) == []


def test_the_check_of_texts_finds_one_that_is_not_translated(scene: Callable[..., Scene]) -> None:
    shown = scene()
    PANES["consent"](shown, lang="fr")
    assert "Continuer" in shown.page.evaluate(_PLAIN_TEXT)


def test_a_host_gives_its_colour_and_it_stays_readable(scene: Callable[..., Scene]) -> None:
    for accent in ("#ffe14d", "#101010", "#ff00aa"):
        shown = scene()
        PANES["key"](shown, client={"name": "Ledgerly", "logo": None, "accent": accent})
        light = shown.watched.accessibility()
        shown.page.emulate_media(color_scheme="dark")
        assert (light, shown.watched.accessibility(), shown.watched.faults) == ([], [], [])
        shown.close()


def test_the_theme_that_a_host_asks_for_wins_over_the_machine(scene: Callable[..., Scene]) -> None:
    shown = scene(scheme="light")
    PANES["consent"](shown, theme="dark")
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"


def test_forced_colours_and_less_motion_keep_every_part(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    PANES["checking"](shown)
    shown.watched.picture("connect-checking-forced")
    assert shown.page.evaluate("getComputedStyle(document.querySelector('.icon.wait')).animationTimingFunction").startswith(
        "steps"
    )
    assert shown.watched.faults == []
