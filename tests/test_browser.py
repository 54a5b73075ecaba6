"""A person opens the merge request in a browser, asks the bot, and sees its answer."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.sandbox.http.server import Server
from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import read_scenario
from bot.sandbox.story.setting import Stage
from bot.sandbox.story.steps import play
from tests.nomination_world import SECRET, TEAM, make_world
from tests.processes import run_here

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if CHROMIUM is None or DRIVER is None:
    pytest.skip(
        "no browser here: install Debian's packages chromium and chromium-driver",
        allow_module_level=True,
    )
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver.chrome.options import Options  # noqa: E402 - needs the check above
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.chrome.webdriver import WebDriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

PATIENCE = 30
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,1600",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """Start a browser with a profile of its own."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Play the first nomination up to the opened merge request and the further reviews."""
    scenario = read_scenario(FIRST_NOMINATION)
    with Sandbox(scenario.folder, scenario.variables) as sandbox:
        stage = Stage(sandbox=sandbox, folder=scenario.folder)
        for step in scenario.steps[:2]:
            play(stage, step)
        yield stage


def open_page(browser: WebDriver, stage: Stage) -> None:
    """Open the merge request's page."""
    path = f"/{stage.mr.project.path_with_namespace}/-/merge_requests/{stage.mr.iid}"
    browser.get(stage.sandbox.url + path)


def text_of(browser: WebDriver, selector: str) -> str:
    """Read what a part of the page shows."""
    return str(browser.find_element(By.CSS_SELECTOR, selector).text)


def wait_for(browser: WebDriver, condition: Callable[[], bool]) -> None:
    """Wait until the page shows something."""
    # The page replaces parts of itself while it is read.
    patient = WebDriverWait(browser, PATIENCE, 0.1, [StaleElementReferenceException])
    patient.until(lambda _: condition())


def write_comment(browser: WebDriver, username: str, text: str) -> None:
    """Write a comment in the box as a person."""
    form = browser.find_element(By.ID, "comment-form")
    Select(form.find_element(By.NAME, "as")).select_by_value(username)
    form.find_element(By.NAME, "text").send_keys(text)
    form.find_element(By.CSS_SELECTOR, "button.primary").click()


def test_the_page_shows_comment_gate_and_evidence(browser: WebDriver, stage: Stage) -> None:
    open_page(browser, stage)
    assert "nominee1" in text_of(browser, "h1")
    assert "nomination-bot failed" in text_of(browser, ".gates")
    comment = text_of(browser, ".notes")
    assert "Review at least 5 merge requests" in comment
    assert browser.find_elements(By.CSS_SELECTOR, ".notes table")
    assert browser.find_elements(By.CSS_SELECTOR, ".notes details")


def test_the_readme_has_a_picture_of_the_comment(
    browser: WebDriver, stage: Stage, bless: bool
) -> None:
    picture = Path(__file__).parents[1] / "docs" / "comment.png"
    open_page(browser, stage)
    comment = browser.find_element(By.CSS_SELECTOR, ".notes li.card")
    if bless:
        comment.screenshot(str(picture))
    assert comment.screenshot_as_png[:8] == picture.read_bytes()[:8]
    assert "docs/comment.png" in (picture.parents[1] / "README.md").read_text(encoding="utf-8")


def test_a_recheck_typed_into_the_box_is_answered(browser: WebDriver, stage: Stage) -> None:
    open_page(browser, stage)
    before = text_of(browser, ".notes")
    assert re.search(r"trainee maintainer\s+✗", before)
    write_comment(browser, "nominee1", "/nomination recheck")
    wait_for(
        browser, lambda: bool(re.search(r"trainee maintainer\s+✓", text_of(browser, ".notes")))
    )
    wait_for(browser, lambda: text_of(browser, "#busy") == "")
    assert "/nomination recheck" in text_of(browser, ".notes")
    assert len([each for each in stage.mr.comments if each.author.bot]) == 1


def test_assigning_opens_the_gate_before_the_readers_eyes(browser: WebDriver, stage: Stage) -> None:
    open_page(browser, stage)
    write_comment(browser, "nominee1", "/assign @manager1 @maintainer1")
    wait_for(browser, lambda: "nomination-bot passed" in text_of(browser, ".gates"))
    wait_for(browser, lambda: "@manager1" in text_of(browser, "#side"))


def test_nothing_on_the_page_is_blocked_or_broken(browser: WebDriver, stage: Stage) -> None:
    open_page(browser, stage)
    wait_for(browser, lambda: text_of(browser, "#busy") == "")
    told = browser.execute("getLog", {"type": "browser"})["value"]
    assert [each["message"] for each in told] == []


def test_the_page_fits_a_narrow_screen(browser: WebDriver, stage: Stage, tmp_path: Path) -> None:
    browser.set_window_size(500, 900)
    open_page(browser, stage)
    browser.save_screenshot(str(tmp_path / "narrow.png"))
    width = browser.execute_script("return document.documentElement.scrollWidth")
    seen = browser.execute_script("return window.innerWidth")
    browser.set_window_size(1280, 1600)
    assert width <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_board_fits_every_screen_and_nothing_of_it_is_blocked(
    browser: WebDriver, tmp_path: Path, width: int, scheme: str
) -> None:
    made = make_world(assigned=False)
    with Server(made.world) as server:
        run_here(
            *("board", "--output", str(tmp_path), "-q"),
            NOMINATION_BOT_TOKEN=SECRET,
            NOMINATION_BOT_GITLAB_URL=server.url,
            NOMINATION_BOT_TEAM_PROJECT=TEAM,
        )
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        browser.get((tmp_path / "index.html").as_uri())
        browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        ground = "return getComputedStyle(document.body).backgroundColor"
        assert (browser.execute_script(ground) == "rgb(255, 255, 255)") is (scheme == "light")
        assert "Drift (" in text_of(browser, "main")
        assert '"max"' in text_of(browser, ".drift pre")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    told = browser.execute("getLog", {"type": "browser"})["value"]
    assert [each["message"] for each in told] == []
