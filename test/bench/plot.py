"""Draws the results as one SVG: speed against m, speed against shape, roofline."""
import math
from html import escape

COLOURS = {"1": "#0072b2", "ternary": "#009e73", "2": "#d55e00", "3": "#cc79a7", "4": "#e69f00", "5": "#882255", "6": "#332288",
           "8": "#56b4e9", "float": "#666666"}
LABELS = {kind: kind if kind in ("ternary", "float") else "1 bit" if kind == "1" else kind + " bits" for kind in COLOURS}
WIDTH, HEIGHT, MARGIN = 560, 400, 60  # of one panel


class Panel:
    """Log-log axes; `x` and `y` are (least, greatest)."""

    def __init__(self, index, title, x_label, y_label, x, y):
        self.left, self.x, self.y, self.items = index * WIDTH + MARGIN, x, y, []
        self.width, self.height = WIDTH - MARGIN - 20, HEIGHT - 2 * MARGIN
        self.text(self.left + self.width / 2, MARGIN - 20, title, size=15)
        self.text(self.left + self.width / 2, HEIGHT - 15, x_label)
        self.text(self.left - 42, HEIGHT / 2, y_label, turn=-90)
        self.items.append(f'<rect x="{self.left}" y="{MARGIN}" width="{self.width}" height="{self.height}" '
                          'fill="none" stroke="#888"/>')
        for value in ticks(*y):
            self.text(self.left - 6, self.at_y(value) + 4, label(value), anchor="end")
            self.line([(x[0], value), (x[1], value)], "#ddd")

    def at_x(self, value):
        return self.left + self.width * math.log(value / self.x[0]) / math.log(self.x[1] / self.x[0])

    def at_y(self, value):
        return MARGIN + self.height * (1 - math.log(value / self.y[0]) / math.log(self.y[1] / self.y[0]))

    def text(self, x, y, text, size=11, anchor="middle", turn=0, colour="#000"):
        transform = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.items.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
                          f'{transform}>{escape(text)}</text>')

    def line(self, points, colour, dashed=False, width=1.0):
        where = " ".join(f"{self.at_x(x):.1f},{self.at_y(y):.1f}" for x, y in points)
        dash = ' stroke-dasharray="5 3"' if dashed else ""
        self.items.append(f'<polyline points="{where}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>')

    def dot(self, x, y, colour, filled, title):
        fill = colour if filled else "#fff"
        self.items.append(f'<circle cx="{self.at_x(x):.1f}" cy="{self.at_y(y):.1f}" r="3.5" fill="{fill}" '
                          f'stroke="{colour}"><title>{escape(title)}</title></circle>')

    def x_ticks(self, values, names=None, turn=0):
        for value, text in zip(values, names or map(label, values)):
            self.text(self.at_x(value), HEIGHT - MARGIN + 15, text, size=9 if turn else 11, turn=turn)


def label(value):
    return f"{value:g}"


def ticks(low, high):
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]


def around(values):
    return (min(values) / 1.3, max(values) * 1.3)


def best(cell):
    """The fastest of lutc's kernels and of the peers for each kind of weights."""
    found = {}
    for result in cell["results"]:
        key = (result["weights"], result["peer"] == "lutc")
        if key not in found or result["min_us"] < found[key]["min_us"]:
            found[key] = result
    return found


def series(panel, points):
    """points: {(kind, is lutc): [(x, result)]}"""
    for (kind, is_lutc), line in points.items():
        panel.line([(x, r["gmac_s"]) for x, r in line], COLOURS[kind], dashed=not is_lutc, width=1.8)
        for x, r in line:
            panel.dot(x, r["gmac_s"], COLOURS[kind], is_lutc, f"{r['peer']} {r['type']}: {r['gmac_s']:.0f} GMAC/s")


def collect(cells, place):
    points = {}
    for cell in cells:
        for key, result in best(cell).items():
            points.setdefault(key, []).append((place(cell), result))
    return points


def speeds(cells):
    return [r["gmac_s"] for cell in cells for r in best(cell).values()]


def against_m(index, cells):
    first = cells[0]
    chosen = [c for c in cells if all(c[key] == first[key] for key in ("n", "k", "threads", "weights"))]
    tokens = [cell["m"] for cell in chosen]
    panel = Panel(index, f"speed against m: {first['n']}x{first['k']}, {first['weights']}", "tokens m", "GMAC/s",
                  around(tokens), around(speeds(chosen)))
    panel.x_ticks(tokens)
    series(panel, collect(chosen, lambda cell: cell["m"]))
    return panel


def against_shape(index, cells):
    first = cells[0]
    chosen = [c for c in cells if all(c[key] == first[key] for key in ("m", "threads", "weights"))]
    chosen.sort(key=lambda cell: cell["n"] * cell["k"])
    places = {id(cell): 2.0**i for i, cell in enumerate(chosen)}
    panel = Panel(index, f"speed against shape: m = {first['m']}, {first['weights']}", "n x k, by size", "GMAC/s",
                  (0.6, 2.0 ** (len(chosen) - 1) * 1.7), around(speeds(chosen)))
    panel.x_ticks(places.values(), [f"{c['n']}x{c['k']}" for c in chosen], turn=-20 if len(chosen) > 4 else 0)
    series(panel, collect(chosen, lambda cell: places[id(cell)]))
    return panel


def roofline(index, cells):
    first = cells[0]
    chosen = [c for c in cells if c["threads"] == first["threads"] and c["weights"] == first["weights"]]
    points = [(8 * cell["m"] / r["bits"], key, r, cell) for cell in chosen for key, r in best(cell).items()]
    bandwidth = max(cell["read_gb_s"] for cell in chosen)
    peak = max(cell["int8_peak_gmac_s"] for cell in chosen)
    x, y = around([p[0] for p in points]), around([p[2]["gmac_s"] for p in points] + [peak])
    panel = Panel(index, f"roofline, {first['weights']}", "multiplications a byte of weights", "GMAC/s", x, y)
    panel.x_ticks(ticks(*x)[::2])
    low, corner = max(x[0], y[0] / bandwidth), min(x[1], peak / bandwidth)
    panel.line([(low, low * bandwidth), (corner, corner * bandwidth), (x[1], peak)], "#000", width=1.5)
    panel.text(panel.at_x(x[1]) - 4, panel.at_y(peak) - 5, "int8 dot product without AMX", anchor="end")
    panel.text(panel.at_x(low) + 4, panel.at_y(low * bandwidth) - 12, f"{bandwidth:.0f} GB/s", anchor="start")
    for intensity, (kind, is_lutc), r, cell in points:
        panel.dot(intensity, r["gmac_s"], COLOURS[kind], is_lutc,
                  f"{r['peer']} {r['type']}, {cell['n']}x{cell['k']}, m = {cell['m']}: {r['gmac_s']:.0f} GMAC/s")
    return panel


def legend(y):
    items, x = [], MARGIN
    for kind, colour in COLOURS.items():
        items.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
                     f'<text x="{x + 8}" y="{y + 4}" font-size="11">{LABELS[kind]}</text>')
        x += 80
    items.append(f'<text x="{x}" y="{y + 4}" font-size="11">filled, solid: the fastest lutc kernel; '
                 "hollow, dashed: the fastest peer</text>")
    return items


def draw(cells):
    panels = [make(i, cells) for i, make in enumerate((against_m, against_shape, roofline))]
    width, height = WIDTH * len(panels), HEIGHT + 30
    items = [item for panel in panels for item in panel.items] + legend(HEIGHT + 12)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">\n'
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(items) + "\n</svg>\n")
