"""Draw the rooms of the bot and their imports, as docs/architecture.svg shows them, and count.

Usage: rooms.py [--check]. With --check nothing is written, and an old picture is an error. More
rooms, more floors, or an import upwards always are.
"""

import sys
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

import grimp

MOST_ROOMS, MOST_FLOORS = 24, 10
PICTURE = Path("docs/architecture.svg")
SANDBOX = "sandbox"
WIDTH, MARGIN, GAP = 1000, 20, 14  # pixels
LABEL, ROW, BOX = 30, 92, 38  # pixels; height of a row and of the box in it
LETTER = 8.2  # pixels; one letter of a room's name

Place = tuple[float, float, float]  # left, top, width


def main(arguments: list[str]) -> int:
    """Draw the picture; return 1 when it is too large, or was to be checked and is an old one."""
    rows = _read_rows()
    arrows = _read_arrows({room for row in rows for room in row})
    rooms, floors, up = sum(map(len, rows)), _count_floors(arrows), _find_upwards(rows, arrows)
    print(f"{rooms} rooms on {floors} floors, {len(arrows)} imports, {len(up)} of them upwards.")
    if rooms > MOST_ROOMS or floors > MOST_FLOORS or up:
        print(f"There may be {MOST_ROOMS} rooms on {MOST_FLOORS} floors, and none upwards: {up}.")
        return 1
    drawn = _draw(rows, arrows)
    if "--check" not in arguments:
        PICTURE.write_text(drawn, "utf-8")
    elif not PICTURE.exists() or PICTURE.read_text("utf-8") != drawn:
        print(f"{PICTURE} shows other rooms or imports than there are: run `make picture`.")
        return 1
    return 0


def _read_rows() -> list[list[str]]:
    """Take the rows from the rule that CI enforces, highest first."""
    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    rule = next(each for each in contracts if each.get("containers") == ["bot"])
    return [[room.strip() for room in row.replace("|", ":").split(":")] for row in rule["layers"]]


def _read_arrows(rooms: set[str]) -> list[tuple[str, str]]:
    graph = grimp.build_graph("bot", cache_dir=None)
    found = set()
    for module in graph.modules:
        for target in graph.find_modules_directly_imported_by(module):
            ends = (_room(module), _room(target))
            if ends[0] != ends[1] and rooms.issuperset(ends):
                found.add(ends)
    return sorted(found)


def _count_floors(arrows: list[tuple[str, str]]) -> int:
    """Count the rooms of the longest way down; a circle would be endless, so that it stops."""
    floor = dict.fromkeys((room for arrow in arrows for room in arrow), 1)
    for _ in floor:
        for one, other in arrows:
            floor[one] = max(floor[one], floor[other] + 1)
    return max(floor.values())


def _find_upwards(rows: list[list[str]], arrows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    height = {room: -number for number, row in enumerate(rows) for room in row}
    return [(one, other) for one, other in arrows if height[one] < height[other]]


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def _draw(rows: list[list[str]], arrows: list[tuple[str, str]]) -> str:
    places = dict(_place(rows))
    height = MARGIN + ROW * len(rows)
    body = [
        *(_draw_arrow(places[one], places[other]) for one, other in arrows),
        *(_draw_box(room, place) for room, place in places.items()),
    ]
    title = f"{len(places)} rooms in {len(rows)} rows; {len(arrows)} imports, none of them upwards"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="14">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _place(rows: list[list[str]]) -> Iterator[tuple[str, Place]]:
    """Put the rooms of each row side by side, in the middle."""
    for number, row in enumerate(rows):
        widths = [LABEL + LETTER * len(room) for room in row]
        left = (WIDTH - sum(widths) - GAP * (len(row) - 1)) / 2
        for room, width in zip(row, widths, strict=True):
            yield room, (left, MARGIN + ROW * number, width)
            left += width + GAP


def _draw_box(room: str, place: Place) -> str:
    left, top, width = place
    middle = left + width / 2
    # A package has a folder of its own; a room that is one file has not.
    fill = "#e6f0fb" if Path("bot", room).is_dir() else "#f6f6f6"
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BOX}" rx="6" '
        f'fill="{fill}" stroke="#345"/>'
        f'<text x="{middle:.1f}" y="{top + 24}" text-anchor="middle">{escape(room)}</text>'
    )


def _draw_arrow(one: Place, other: Place) -> str:
    """Draw from the lower edge of a room to the upper edge of the one it imports."""
    start, end = one[0] + one[2] / 2, other[0] + other[2] / 2
    top, bottom = one[1] + BOX, other[1]
    if bottom < top:  # rooms of one row
        top, bottom = one[1] + BOX, other[1] + BOX
        bend = top + 26
        path = f"M{start:.1f} {top} C{start:.1f} {bend} {end:.1f} {bend} {end:.1f} {bottom}"
    else:
        middle = (top + bottom) / 2
        path = f"M{start:.1f} {top} C{start:.1f} {middle} {end:.1f} {middle} {end:.1f} {bottom}"
    return f'<path d="{path}" fill="none" stroke="#678" stroke-opacity="0.45"/>'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
