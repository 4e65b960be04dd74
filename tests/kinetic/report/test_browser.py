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
        return [...document.querySelectorAll('figure > div > img')].map(image => {
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


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_is_no_wider_than_the_screen(opened, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert opened.execute_script("return innerWidth") == width
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    opened.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_wide_table_scrolls_under_the_names_of_its_rows(opened):
    size = {"width": 420, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    moved, stayed = opened.execute_script("""
        for (const each of document.querySelectorAll('details')) each.open = true;
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
    assert brightness("figure > div > img", "backgroundColor") == 255


def test_the_first_screen_says_what_changed_in_words_and_shows_it(opened):
    size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    words, forest, tables = opened.execute_script("""
        const top = each => each.getBoundingClientRect().top + scrollY;
        const short = [...document.querySelectorAll('h2')].find(each => each.textContent === 'In short');
        const first = document.querySelector('figure > div > img');
        const seen = [...document.querySelectorAll('table')].filter(each => each.checkVisibility());
        return [top(short), [top(first), first.alt], seen.length];
    """)
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert words < forest[0] < 900
    assert forest[1].startswith("Differences of")
    assert tables == 0, "details are folded"


def explored(browser):
    """The words of the point that is shown, and whether its image is seen; None where none is."""
    return browser.execute_script("""
        const tips = [...document.querySelectorAll('.tip')].filter(tip => tip.checkVisibility());
        if (tips.length !== 1) return tips.length ? tips.length : null;
        const image = tips[0].querySelector('img'), box = tips[0].getBoundingClientRect();
        return [[...tips[0].querySelectorAll('span')].map(each => each.textContent),
                image.naturalWidth, image.getBoundingClientRect().width, [box.left, box.right, innerWidth]];
    """)


def centre(browser, number):
    return browser.execute_script(
        """
        const label = document.querySelector('fieldset').querySelectorAll('label')[arguments[0]];
        label.scrollIntoView({block: 'center'});
        const box = label.getBoundingClientRect();
        const x = box.left + box.width / 2, y = box.top + box.height / 2;
        return [x, y, document.elementFromPoint(x, y).closest('label') === label];
        """,
        number,
    )


def free(browser):
    """The number of a point that no other covers."""
    return next(number for number in range(60) if centre(browser, number)[2])


def test_pointing_at_a_sample_shows_its_image_and_its_numbers(opened, full):
    number = free(opened)
    assert explored(opened) is None
    x, y, _ = centre(opened, number)
    opened.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
    words, natural, width, _ = explored(opened)
    rows = full.rows("plain").sort_by("kpe").to_pylist()
    row = rows[number]
    (score,) = (name for name in row if name.endswith(".ratio"))
    assert words == [
        f"sample {row['sample']}",
        f"class {row['class']}",
        f"kpe {row['kpe']:.4g}",
        f"{score} {row[score]:.4g}",
    ]
    assert natural == 8
    assert width > 50
    opened.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": 1, "y": 1})
    assert explored(opened) is None


def test_the_arrow_keys_go_from_sample_to_sample_in_the_order_of_the_energies(opened, full):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    opened.execute_script("document.querySelector('fieldset input').focus()")
    box = opened.switch_to.active_element
    box.send_keys(keys.SPACE)
    seen = [explored(opened)[0][0]]
    for _ in range(3):
        opened.switch_to.active_element.send_keys(keys.ARROW_RIGHT)
        seen.append(explored(opened)[0][0])
    rows = full.rows("plain").sort_by("kpe")["sample"].to_pylist()
    assert seen == [f"sample {sample}" for sample in rows[:4]]


def test_a_tap_on_a_phone_shows_a_sample_within_the_screen(opened):
    size = {"width": 400, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        for number in (0, 30, 59):
            opened.execute_script(
                "document.querySelector('fieldset').querySelectorAll('input')[arguments[0]].click()", number
            )
            words, _, width, (left, right, inner) = explored(opened)
            assert words[0].startswith("sample ")
            assert width > 50
            assert 0 <= left < right <= inner
    finally:
        opened.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_link_of_the_head_and_every_fold_is_reached_by_keyboard(opened):
    reached = opened.execute_script("""
        const wanted = [...document.querySelectorAll('nav a, summary, fieldset, figure > div')];
        return wanted.map(each => [each.tagName,
            each.tabIndex >= 0 || each.querySelector('input')?.tabIndex >= 0]);
    """)
    assert {tag for tag, _ in reached} == {"A", "SUMMARY", "FIELDSET", "DIV"}
    assert all(there for _, there in reached)
