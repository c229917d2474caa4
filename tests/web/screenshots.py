"""Every page × language × size × theme as pictures, from a running demo. `make screenshots` calls it; look at them all.

python -m tests.web.screenshots [directory]      default: var/screenshots
"""

import asyncio
import re
import sys
from pathlib import Path

from .live import SIZES, Windows, running_browser, running_demo
from .test_looks import pages_of

THEMES = ("light", "dark")


async def take(directory: Path) -> int:
    """Write the pictures; how many there are."""
    count = 0
    with running_demo() as demo:
        async with running_browser() as browser:
            windows = Windows(browser)
            paths = await pages_of(await windows.open(), demo)
            for language in ("zh", "en"):
                for size in SIZES:
                    for theme in THEMES:
                        page = await windows.open(language=language, size=size, theme=theme)
                        await pages_of(page, demo)  # signed in everywhere
                        folder = directory / f"{language}-{size}-{theme}"
                        folder.mkdir(parents=True, exist_ok=True)
                        for number, path in enumerate(paths, 1):
                            await page.goto(f"{demo.url}{path}")
                            name = re.sub(
                                r"[^a-z-]+", "-", re.sub(r"_[0-9a-z]{26}", "", path.strip("/"))
                            ).strip("-")
                            await page.screenshot(
                                path=folder / f"{number:02d}-{name or 'start'}.png", full_page=True
                            )
                            count += 1
    return count


def main() -> None:
    """Take them all."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "var/screenshots")
    sys.stdout.write(f"{asyncio.run(take(directory))} pictures in {directory}\n")


if __name__ == "__main__":
    main()
