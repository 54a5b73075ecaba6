"""Make pages of the files beside docs/, and let links to all other files lead to the repository.

A hook of MkDocs (https://www.mkdocs.org/user-guide/configuration/#hooks). A link to a file that is
not there is told as a warning, and `strict` makes an error of it.
"""

import logging
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
# Pages that lie beside docs/, where GitLab shows them.
BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
SCHEMAS = ("bot/policies/policy.schema.json", "bot/assessment.schema.json")
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^()\s#]+)(#[^()\s]*)?(?=\))")
log = logging.getLogger("mkdocs.hooks.site")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie beside docs/, and the schemas, which have an address of their own."""
    for name, page in BESIDE.items():
        text = _rewrite((ROOT / name).read_text("utf-8"), "", config)
        files.append(File.generated(config, page, content=text))
    for name in SCHEMAS:
        place = f"schemas/{posixpath.basename(name)}"
        files.append(File.generated(config, place, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Rewrite the links of a page of docs/."""
    if page.file.src_uri in BESIDE.values():
        return markdown
    return _rewrite(markdown, "docs", config)


def _rewrite(markdown: str, folder: str, config: Any) -> str:
    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        anchor = link[2] or ""
        if target in BESIDE:
            return BESIDE[target] + anchor
        if target.startswith("docs/"):
            return target.removeprefix("docs/") + anchor
        if not (ROOT / target).exists():
            log.warning("a link leads to %r, which is not there", target)
        home = config.repo_url or os.environ.get("CI_PROJECT_URL") or "https://gitlab.example.com"
        return f"{home.rstrip('/')}/-/blob/HEAD/{target}{anchor}"

    return LINK.sub(lead, markdown)
