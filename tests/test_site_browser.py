"""The built site in a real browser: nothing is logged, nothing is asked of strangers, no page is wider than a phone."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
PAGES = [
    str(page.relative_to(ROOT / "docs").with_suffix("")).removesuffix("index").rstrip("/")
    for page in sorted((ROOT / "docs").rglob("*.md"))
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where the site is served: one that is built already (`SITE`, as tox has it), or built here where mkdocs is."""
    folder = os.environ.get("SITE")
    if folder is None:
        pytest.importorskip("mkdocs", reason="needs mkdocs; `tox -e docs` has it")
        folder = tmp_path_factory.mktemp("site")
        build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder]
        subprocess.run(build, cwd=ROOT, check=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(site, tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, site):
    """opened(page, width, scheme): the page on a screen of that width."""

    def open_page(page, width=1280, scheme="light"):
        browser.get("about:blank")  # the page before would keep its scheme once more
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": site, "storageTypes": "local_storage"})
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(f"{site}/{page}/" if page else f"{site}/")
        browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        return browser

    return open_page


@pytest.mark.parametrize("page", PAGES)
def test_a_page_logs_nothing_asks_nobody_else_and_fits_a_phone(page, opened, site):
    driver = opened(page, 400)
    assert driver.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    assert any(url.startswith(site) for url in asked)
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []
    assert driver.execute_script("return innerWidth") == 400
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gallery_shows_one_picture_of_each_recipe_in_the_scheme_of_the_reader(scheme, opened):
    driver = opened("recipes", scheme=scheme)
    shown = driver.execute_script("""
        return [...document.querySelectorAll('article img')]
            .filter(image => getComputedStyle(image).display !== 'none')
            .map(image => [image.src, image.complete && image.naturalWidth > 0])
    """)
    assert len(shown) == len(list((ROOT / "docs" / "images").glob("*-light.webp")))
    assert all(f"-{scheme}." in source and there for source, there in shown)


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_paper_is_dark_at_night(scheme, is_dark, opened):
    driver = opened("", scheme=scheme)
    said = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in said[said.index("(") + 1 : -1].split(",")[:3]) < 384) == is_dark


def test_search_finds_a_word_on_the_site_itself(opened):
    driver = opened("")
    driver.execute_script("""
        document.querySelector('#__search').click();
        const query = document.querySelector('.md-search__input');
        query.focus();
        query.value = 'tortuosity';
        query.dispatchEvent(new Event('input', {bubbles: true}));
        query.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true}));
    """)
    script = """
        const [done, until] = [arguments[0], Date.now() + 20000];
        const look = () => {
            const links = [...document.querySelectorAll('.md-search-result__link')].map(each => each.href);
            links.length || Date.now() > until ? done(links) : setTimeout(look, 100);
        };
        look();
    """
    driver.set_script_timeout(30)
    assert driver.execute_async_script(script)
