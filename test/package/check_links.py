"""Checks the links of all pages: check_links.py <source>

A link leads to a file or directory of the project; its fragment, to a heading of that page.
"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
pages = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
wrong = []


def headings(page):
    """As GitHub makes fragments of them."""
    lines = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8")).splitlines()
    return {re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-") for line in lines if line.startswith("#")}


links = 0
for name in pages:
    page = root / name
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        links += 1
        path, _, fragment = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or fragment and fragment not in headings(to):
            wrong.append(f"{name}: {target}")
if not links:
    wrong.append("no page has a link")
print(f"{links} links of {len(pages)} pages")
sys.exit("\n".join(wrong) or 0)
