"""Takes the picture of a report, docs/images/report.png, in a headless browser.

`python docs/_make/report_picture.py runs/goldilocks` after `kinetic run goldilocks`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PAGE = Path(__file__).parent.parent / "images" / "report.png"
SIZE = (950, 1465)  # of the window, in CSS pixels

if __name__ == "__main__":
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert browser, "needs chromium"
    report = Path(sys.argv[1]).resolve() / "report.html"
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}"]
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        subprocess.run([browser, *flags, size, f"--screenshot={shot}", report.as_uri()], check=True)
        Image.open(shot).convert("RGB").quantize(64).save(PAGE, optimize=True)
    print(f"{PAGE}: {PAGE.stat().st_size} bytes")
