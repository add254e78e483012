"""Write the pages anew: python -m runnerkit.reference, or nox -s docs."""

from runnerkit.place import ROOT
from runnerkit.reference import settings, troubleshooting

PAGES = {"settings": settings.page, "troubleshooting": troubleshooting.page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / f"docs/en/{name}.md").write_text(page())
