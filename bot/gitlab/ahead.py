"""Ask for the first merge request at once: what reads the answer is imported meanwhile."""

from concurrent.futures import ThreadPoolExecutor

from bot.gitlab import merge_request_query as documents
from bot.gitlab.answers import Json
from bot.gitlab.transport import Transport


def ask_ahead(transport: Transport, project: str, iid: int) -> None:
    """Ask for a merge request that is about to be read, once; its project is given by path."""
    if project.isdecimal():
        return
    pool = ThreadPoolExecutor(1)
    transport.ahead[project, iid] = pool.submit(ask_for, transport, project, iid)
    pool.shutdown(wait=False)


def ask_for(transport: Transport, project: str, iid: int, after: str | None = None) -> Json:
    """Ask for a merge request with a page of its comments."""
    variables = {"project": project, "iid": str(iid), "after": after}
    return transport.query(documents.MERGE_REQUEST + documents.COMMENTS, variables)
