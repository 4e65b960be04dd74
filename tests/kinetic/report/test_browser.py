"""The page in a real browser."""

import json
import shutil

import pytest

from kinetic._store.layout import REPORT

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--hide-scrollbars",
        f"--user-data-dir={profile}",
        "--window-size=1200,900",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, full):
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get((full.folder / REPORT).as_uri())
    return browser


def test_the_console_stays_silent(opened):
    assert opened.get_log("browser") == []


def test_only_the_page_itself_is_loaded(opened, full):
    events = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    own = (full.folder / REPORT).as_uri()
    assert own in asked
    assert not [url[:80] for url in asked if url != own and not url.startswith("data:")]
    names = opened.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith("data:") for name in names)


def test_the_policy_stops_scripts_and_strangers(opened):
    """The silence of the other tests means something: what the policy forbids is seen to be stopped."""
    opened.execute_script("""
        window.stopped = [];
        document.addEventListener('securitypolicyviolation', event => window.stopped.push(event.violatedDirective));
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/x.png';
        document.body.append(image);
    """)
    stopped = opened.execute_async_script(
        "const done = arguments[0]; setTimeout(() => done([window.stopped, window.ran === undefined]), 300)"
    )
    assert stopped[1]
    assert {name.partition("-")[0] for name in stopped[0]} >= {"script", "img"}


def test_every_picture_is_there_and_seen(opened):
    images = opened.execute_script("""
        return [...document.images].map(image => {
            const box = image.getBoundingClientRect();
            return [image.complete, image.naturalWidth, box.width, box.height, image.alt];
        })
    """)
    assert len(images) >= 8
    for complete, natural, width, height, alt in images:
        assert complete, alt
        assert natural > 0, alt
        assert width > 100, alt
        assert height > 40, alt


def test_no_name_ran(opened):
    assert opened.title.startswith("<script>alert('$1$')</script>")
    assert opened.execute_script("return document.scripts.length") == 0


@pytest.mark.parametrize("width", [420, 1200])
def test_the_page_is_no_wider_than_the_screen(opened, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert opened.execute_script("return innerWidth") == width
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_wide_table_scrolls_under_the_names_of_its_rows(opened):
    size = {"width": 420, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    moved, stayed = opened.execute_script("""
        const wide = [...document.querySelectorAll('.scroll')].find(each => each.scrollWidth > each.clientWidth + 200);
        const lefts = () => ['td:first-child', 'td:last-child'].map(
            which => wide.querySelector(which).getBoundingClientRect().left);
        const before = lefts();
        wide.scrollLeft = 150;
        const after = lefts();
        return [before[1] - after[1], before[0] - after[0]];
    """)
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert moved == pytest.approx(150, abs=1)
    assert stayed == pytest.approx(0, abs=1)


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_paper_is_dark_at_night_and_pictures_stay_on_white(opened, scheme, dark):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def brightness(what, colour):
        said = opened.execute_script(f"return getComputedStyle(document.querySelector('{what}')).{colour}")
        return sum(int(part) for part in said[said.index("(") + 1 : -1].split(",")[:3]) / 3

    assert (brightness("body", "backgroundColor") < brightness("body", "color")) == dark
    assert brightness("figure img", "backgroundColor") == 255
