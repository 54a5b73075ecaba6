"""A person opens the merge request in a browser, asks the bot, and sees its answer."""

import re
import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft
from bot.sandbox.http.server import Server
from bot.sandbox.pages.app import Pages
from bot.sandbox.scenarios import FIRST_NOMINATION, STORY
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import read_scenario
from bot.sandbox.story.setting import Stage
from bot.sandbox.story.steps import play
from tests.nomination_world import PROVISIONER, TEAM, add_user, make_world, run_reading
from tests.processes import run_here, run_job_here

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
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

PATIENCE = 30
# Pages ask each 700 milliseconds what is new: more often, tests wait less.
HASTE = "const wait = setTimeout; window.setTimeout = (then, ms) => wait(then, ms / 7);"
WIDTHS, SCHEMES = (390, 1280), ("light", "dark")
SCREENS = tuple(product(WIDTHS, SCHEMES))
TITLE = "Make colleague1 a maintainer"
TWO = '"maintainer1", "maintainer2"'
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
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HASTE})
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Play the first nomination up to the opened merge request and the further reviews."""
    scenario = read_scenario(FIRST_NOMINATION)
    with Sandbox(scenario.folder, scenario.variables) as sandbox:
        sandbox.runner.execute = run_job_here
        stage = Stage(sandbox=sandbox, folder=scenario.folder)
        for step in scenario.steps[:2]:
            play(stage, step)
        yield stage


def open_page(browser: WebDriver, stage: Stage) -> None:
    """Open the merge request's page."""
    path = f"/{stage.mr.project.path_with_namespace}/-/merge_requests/{stage.mr.iid}"
    browser.get(stage.sandbox.url + path)


def leave_page(browser: WebDriver) -> None:
    """Leave the page of an earlier test, which still asks its server, and forget what it said."""
    browser.get("about:blank")
    read_log(browser)


def read_log(browser: WebDriver) -> list[str]:
    """Return what the browser said of its pages since it was asked the last time."""
    told = browser.execute("getLog", {"type": "browser"})["value"]
    return [each["message"] for each in told]


def text_of(browser: WebDriver, selector: str) -> str:
    """Read what a part of the page shows."""
    return str(browser.find_element(By.CSS_SELECTOR, selector).text)


def texts_of(browser: WebDriver, selector: str) -> list[str]:
    """Read what each of many parts of the page shows, at one moment."""
    texts = browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map((each) => each.checkVisibility() ? each.innerText : '')",
        selector,
    )
    return [str(each) for each in texts]


def wait_for(browser: WebDriver, condition: Callable[[], bool]) -> None:
    """Wait until the page shows something."""
    # The page replaces parts of itself while it is read.
    patient = WebDriverWait(browser, PATIENCE, 0.05, [StaleElementReferenceException])
    patient.until(lambda _: condition())


def write_comment(browser: WebDriver, username: str, text: str) -> None:
    """Write a comment in the box as a person."""
    form = browser.find_element(By.ID, "comment-form")
    Select(form.find_element(By.NAME, "as")).select_by_value(username)
    form.find_element(By.NAME, "text").send_keys(text)
    form.find_element(By.CSS_SELECTOR, "button.primary").click()


def begins(tag: str, text: str) -> str:
    """Write the XPath of elements within that begin with a text, before that is styled."""
    return f'.//{tag}[starts-with(normalize-space(), "{text}")]'


class Reader:
    """Somebody who knows nothing but what stands on the page: labels, links and buttons."""

    def __init__(self, browser: WebDriver) -> None:
        self.browser = browser
        self.home = browser.current_url

    def begin(self) -> None:
        """Open the first page."""
        self.browser.get(self.home)

    @property
    def text(self) -> str:
        """What the page shows, at one moment."""
        return str(self.browser.execute_script("return document.querySelector('main').innerText"))

    def wait_for(self, text: str) -> None:
        """Wait until the page shows a text."""
        wait_for(self.browser, lambda: text in self.text)

    def wait_until_quiet(self) -> None:
        """Wait until the page does not say that the bot is at work."""
        wait_for(self.browser, lambda: "at work" not in self.text)

    def follow(self, name: str, *, part: bool = False) -> None:
        """Follow the first link of a name."""
        shown, said = f'contains(normalize-space(), "{name}")', f'contains(@aria-label, "{name}")'
        for link in self.browser.find_elements(By.XPATH, f"//a[{shown} or {said}]"):
            if name == link.accessible_name or (part and name in link.accessible_name):
                self.leave_by(link)
                return
        raise AssertionError(f"no link {name!r} in: {self.text}")

    def leave_by(self, element: WebElement) -> None:
        """Click on what leads to another page, and wait for that."""
        page = self.browser.find_element(By.TAG_NAME, "main")
        element.click()
        wait_for(self.browser, lambda: self.browser.find_element(By.TAG_NAME, "main") != page)

    def find(self, tag: str, name: str) -> WebElement:
        """Find the first element of a tag whose first line is a name."""
        for each in self.browser.find_elements(By.XPATH, begins(tag, name)):
            if each.text.partition("\n")[0].strip() == name:
                return each
        raise AssertionError(f"no {tag} {name!r} in: {self.text}")

    def field(self, label: str) -> WebElement:
        """Find the field that a label names."""
        return self.find("label", label).find_element(By.CSS_SELECTOR, "select, textarea, input")

    def choose(self, label: str, name: str) -> None:
        """Choose somebody in a list."""

        def choose() -> bool:
            self.field(label).find_element(By.XPATH, begins("option", name)).click()
            return True

        wait_for(self.browser, choose)

    def fill(self, label: str, change: Callable[[str], str]) -> None:
        """Change what stands in a field."""
        field = self.field(label)
        text = change(str(field.get_property("value")))
        field.send_keys(Keys.CONTROL, "a")
        self.browser.execute_cdp_cmd("Input.insertText", {"text": text})  # as one who pastes

    def press(self, name: str) -> None:
        """Press a button as soon as it can be pressed; nothing may be refused."""

        def press() -> bool:
            button = self.find("button", name)
            if button.is_enabled():
                self.leave_by(button)
                return True
            return False

        wait_for(self.browser, press)
        assert "That did not work" not in self.text

    def comment(self, name: str, text: str) -> None:
        """Write a comment as somebody, and wait for the bot."""
        self.choose("Write as", name)
        self.fill("Comment", lambda _: text)
        self.press("Comment")
        self.wait_until_quiet()


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
    leave_page(browser)
    open_page(browser, stage)
    wait_for(browser, lambda: text_of(browser, "#busy") == "")
    assert read_log(browser) == []


@pytest.fixture
def site(browser: WebDriver) -> Iterator[Reader]:
    """Serve the first nomination's GitLab as it is at first, and open its first page."""
    with Sandbox(FIRST_NOMINATION) as sandbox:
        sandbox.runner.execute = run_job_here
        browser.get(sandbox.url)
        yield Reader(browser)


@pytest.mark.sample(0)
def test_a_stranger_finds_the_way_by_what_the_pages_say(site: Reader) -> None:
    nominate(site)
    review_elsewhere(site)
    ask_and_assign(site)
    waive_and_merge(site)
    finish_the_follow_ups(site)
    site.begin()
    site.follow("Webhooks of gitlab-com/www-gitlab-com")
    site.follow("Note Hook #", part=True)
    site.press("Resend")
    assert "Webhook 1" in site.text


def nominate(site: Reader) -> None:
    """Change an entry in a merge request, and look at what the bot and the tabs say."""
    site.follow("Colleague One's team entry")
    before, after = "ai-gateway: reviewer", "ai-gateway: maintainer"
    site.fill("Content", lambda text: text.replace(before, after))
    site.fill("Title of the merge request", lambda _: TITLE)
    site.press("Commit and open a merge request")
    site.wait_for("Not ready")
    site.wait_for("nomination-bot failed")
    assert not site.find("button", "Merge").is_enabled()
    site.follow("Changes")
    assert f"+  {after}" in site.text
    site.follow("Commits")
    assert TITLE in site.text


def review_elsewhere(site: Reader) -> None:
    """Open a merge request of somebody else, request changes, approve and merge it."""
    site.begin()
    site.follow("a file of the AI Gateway")
    site.fill("Content", lambda text: text + "More.\n")
    site.press("Commit and open a merge request")
    site.choose("Whom to ask", "Colleague One")
    site.press("Request review")
    site.choose("Request changes as", "Colleague One")
    site.press("Request changes")
    site.wait_for("requested changes")
    site.choose("Approve as", "Colleague One")
    site.press("Approve")
    site.press("Merge")
    site.wait_for("Merged")


def ask_and_assign(site: Reader) -> None:
    """Ask the bot to look again, misspell a command, assign two people."""
    site.begin()
    site.follow(TITLE)
    site.comment("Colleague One", "/nomination recheck")
    site.comment("Colleague One", "/nomination rechek")
    site.wait_for("Did you mean recheck?")
    for name in ("Manager One", "Maintainer One"):
        site.choose("Whom to assign", name)
        site.press("Assign")


def waive_and_merge(site: Reader) -> None:
    """Waive what is missing, and merge."""
    for requirement in ("authored", "reviewed"):
        words = f"/nomination waive {requirement} Their work is known to all of us."
        site.comment("Maintainer One", words)
    site.wait_for("nomination-bot passed")
    site.choose("Merge as", "Maintainer One")
    site.press("Merge")
    site.wait_for("steps are left")


def finish_the_follow_ups(site: Reader) -> None:
    """Add the new maintainer to the group and to two lists, and let the sweep notice."""
    site.begin()
    site.follow("the group")
    site.choose("Person", "Colleague One")
    site.press("Add")
    assert "Colleague One @colleague1" in site.text
    for name in ("inventory.json", "renovate.json"):
        site.begin()
        site.follow(name)
        site.fill("Content", lambda text: text.replace(TWO, f'{TWO}, "colleague1"'))
        site.press("Commit")
        assert "colleague1" in site.text
    site.begin()
    site.press("A day later")
    site.press("Sweep now")
    site.wait_for("schedule")
    site.wait_until_quiet()
    site.follow("Merge requests of gitlab-com/www-gitlab-com")
    site.follow(TITLE)
    site.wait_for("every step is done")


@pytest.mark.sample(0)
def test_every_page_fits_a_narrow_screen(browser: WebDriver, stage: Stage) -> None:
    team = "/gitlab-com/www-gitlab-com/-"
    entry = "master/data/team_members/person/n/nominee-one.yml"
    hook = stage.mr.project.webhooks[0]
    paths = (
        "/", "/nobody", "/manager1", "/groups/gitlab-org/maintainers/ai-gateway/-/group_members",
        f"{team}/tree", f"{team}/blob/{entry}", f"{team}/edit/{entry}",
        f"{team}/edit/{entry}?new=1",
        f"{team}/hooks", f"{team}/hooks/{hook.id}/hook_logs/{hook.events[0].id}",
        f"{team}/merge_requests", f"{team}/merge_requests/new", f"{team}/merge_requests/1",
        f"{team}/merge_requests/1/commits", f"{team}/merge_requests/1/diffs",
        f"/gitlab-org/nomination-bot/-/jobs/{stage.sandbox.runner.runs[-1].job.id}",
    )  # fmt: skip
    narrow = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    wide = {}
    for path in paths:
        browser.get(stage.sandbox.url + path)
        wide[path] = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert {path: width for path, width in wide.items() if width > 390} == {}


@pytest.mark.sample(0)
def test_the_board_fits_every_screen_and_nothing_of_it_is_blocked(
    screen: WebDriver, tmp_path: Path
) -> None:
    made = make_world(assigned=False)
    with Server(made.world) as server:
        run_reading(server, "board", "--output", str(tmp_path), "-q")
    leave_page(screen)
    screen.get((tmp_path / "index.html").as_uri())
    screen.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    ground = "return getComputedStyle(document.body).backgroundColor"
    for width, scheme in SCREENS:
        check_screen(screen, width, scheme, tmp_path)
        assert (screen.execute_script(ground) == "rgb(255, 255, 255)") is (scheme == "light")
        assert "Drift (" in text_of(screen, "main")
        assert '"max"' in text_of(screen, ".drift pre")
    assert read_log(screen) == []


def check_screens(browser: WebDriver, address: str, folder: Path) -> None:
    """Look at a page narrow and wide, light and dark."""
    browser.get(address)
    for width, scheme in SCREENS:
        check_screen(browser, width, scheme, folder)


def check_screen(browser: WebDriver, width: int, scheme: str, folder: Path) -> None:
    """Look at the page on a screen; leave a picture where it does not fit."""
    show_on(browser, width, scheme)
    wide, faint = browser.execute_script(MEASURE)
    picture = folder / f"{width}-{scheme}.png"
    if wide > width or faint:
        browser.save_screenshot(str(picture))
    assert wide <= width, picture
    assert faint == [], picture


def show_on(browser: WebDriver, width: int, scheme: str) -> None:
    """Show the page, and those that follow, on a screen of a width, in light or dark."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    screen = {"width": width, "height": 1600, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    wait_for(browser, lambda: bool(browser.execute_script(SHOWN, width, scheme)))


SHOWN = """
const [width, scheme] = arguments;
return innerWidth === width && matchMedia(`(prefers-color-scheme: ${scheme})`).matches;
"""
# How wide the page is, and which of its texts stand out from their ground by less than 4.5 to 1
# (WCAG 2.2, 1.4.3).
MEASURE = """
const shade = (rgb) => rgb.map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
const read = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (each) => {
  for (; each; each = each.parentElement) {
    const found = read(getComputedStyle(each).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found.slice(0, 3);
  }
  return [255, 255, 255];
};
const faint = [...document.querySelectorAll("main *, header *")]
  .filter((each) => each.offsetParent && !each.disabled
    && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((each) => {
    const pair = [shade(read(getComputedStyle(each).color).slice(0, 3)), shade(ground(each))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5;
  })
  .map((each) => `${each.tagName} ${each.className}: ${each.textContent.trim().slice(0, 40)}`);
return [document.documentElement.scrollWidth, faint];
"""


@pytest.fixture
def screen(browser: WebDriver) -> Iterator[WebDriver]:
    """Give the browser back as it was."""
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.sample(0)
def test_the_story_is_seen_on_every_screen(screen: WebDriver, tmp_path: Path) -> None:
    scenario = read_scenario(STORY)
    with Sandbox(FIRST_NOMINATION, scenario.variables) as sandbox:
        sandbox.runner.execute = run_job_here
        stage = Stage(sandbox=sandbox, folder=scenario.folder)
        page = f"{sandbox.url}/{TEAM}/-/merge_requests/1"
        change = f"{sandbox.url}/{PROVISIONER}/-/merge_requests/1"
        places = {  # by the number of the step after which to look
            1: [page],
            8: [page],
            13: [f"{sandbox.url}/nominee1", change, page],
            22: [page],
        }
        mentioned = {1: ["@nominee1"], 8: ["@maintainer1"], 13: ["@nominee1"], 22: []}
        for step in scenario.steps:
            play(stage, step)
            for address in places.get(step.number, ()):
                check_screens(screen, address, tmp_path)
            if step.number in mentioned:
                assert find_mentions(screen) == mentioned[step.number]
            if stage.board:
                look_at_the_board(screen, stage, tmp_path / f"board-{step.number}")
        screen.get(page)
        assert "every step is done" in text_of(screen, ".notes")


def find_mentions(screen: WebDriver) -> list[str]:
    """List whom the bot's comment mentions."""
    return texts_of(screen, ".notes li:nth-child(1 of .card) a.ref-mention")


# Open, merged with steps left, on the way, and differences: before, after the merge, at the end.
BOARDS = {"board-2": (1, 0, 2, 2), "board-14": (0, 1, 1, 5), "board-23": (0, 0, 1, 0)}


def look_at_the_board(screen: WebDriver, stage: Stage, folder: Path) -> None:
    """Write the board as it is now, and see who is near, what is left, and what differs."""
    run_here(
        *("board", "--output", str(folder), "-q"),
        **stage.sandbox.runner.variables,
        NOMINATION_BOT_GITLAB_URL=stage.sandbox.url,
        NOMINATION_BOT_TEAM_PROJECT=TEAM,
    )
    check_screens(screen, (folder / "index.html").as_uri(), folder)
    seen = text_of(screen, "main")
    open_ones, merged, near, drift = BOARDS[folder.name]
    assert f"Nominations open ({open_ones})" in seen
    assert f"Merged, with steps open ({merged})" in seen
    assert f"On the way ({near})" in seen
    assert f"Drift ({drift})" in seen


def test_a_merge_request_fits_the_screen(screen: WebDriver, stage: Stage, tmp_path: Path) -> None:
    open_page(screen, stage)
    check_screen(screen, WIDTHS[0], SCHEMES[1], tmp_path)


@pytest.mark.sample(0)
def test_every_comment_of_the_gallery_fits_the_screen(screen: WebDriver, tmp_path: Path) -> None:
    gallery = (Path(__file__).parents[1] / "docs" / "gallery.md").read_text(encoding="utf-8")
    made = make_world(assigned=False)
    world, mr = made.world, made.nomination
    draft = NoteDraft(body=gallery.partition("\n## ")[2])
    for name in ("ada", "margaret"):  # whom it mentions
        add_user(world, name)
    note = actions.create_note(world, world.user("nomination-bot"), mr, draft).note
    assert note is not None
    with Server(world) as server:
        server.mount("/", Pages(world))
        screen.get(f"{server.url}/{TEAM}/-/merge_requests/{mr.iid}")
        for width, scheme in SCREENS:
            check_screen(screen, width, scheme, tmp_path)
            mentions = texts_of(screen, f"#note_{note.id} a.ref-mention")
            assert {*mentions} == {"@ada", "@margaret"}
