"""Draws the lines of compare.py and scaling.py as SVG; standard library only.

usage: bench/plot.py results.jsonl [OUT.svg]
Left: ns of one iteration per pair against n (suite `iteration`). Right: marginal error against seconds (suite
`solution`), with open circles for runs that were given up. Contended lines are left out. Lines of scaling.py:
plot_scaling.py.
"""
import json
import math
import sys
from pathlib import Path

COLOURS = ["#0b5394", "#e69138", "#6aa84f", "#cc0000", "#674ea7", "#7f6000", "#c27ba0", "#45818e", "#666666", "#000000"]
WIDTH, HEIGHT, LEFT, TOP, SIZE_X, SIZE_Y, GAP = 980, 420, 70, 50, 330, 300, 110


def read_lines(path):
    lines = [json.loads(text) for text in Path(path).read_text().splitlines() if text.strip()]
    return [line for line in lines if "failed" not in line and "contended" not in line.get("flags", []) and line["seconds"] > 0]


def latest(lines, keys):
    """The last line of each combination of keys."""
    return list({tuple(line.get(key) for key in keys): line for line in lines}.values())


class Panel:
    """Axes with logarithmic scales."""

    def __init__(self, left, title, x_name, y_name, points):
        self.left, self.parts = left, []
        xs, ys = zip(*points)
        self.low_x, self.high_x = math.floor(math.log10(min(xs)) * 2) / 2 - 0.01, math.ceil(math.log10(max(xs)) * 2) / 2 + 0.01
        self.low_y, self.high_y = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)) + 1e-9)
        self.text(left + SIZE_X / 2, TOP - 18, title, "middle", 14)
        self.text(left + SIZE_X / 2, TOP + SIZE_Y + 38, x_name, "middle")
        self.parts.append(f'<text transform="translate({left - 48},{TOP + SIZE_Y / 2}) rotate(-90)" text-anchor="middle" font-size="12">{y_name}</text>')
        self.parts.append(f'<rect x="{left}" y="{TOP}" width="{SIZE_X}" height="{SIZE_Y}" fill="none" stroke="#444"/>')
        steps = (1, 2, 5) if self.high_x - self.low_x < 1.6 else (1,)
        for power in range(math.floor(self.low_x), math.floor(self.high_x) + 1):
            for step in steps:
                if self.low_x <= power + math.log10(step) <= self.high_x:
                    self.tick(self.x(step * 10.0 ** power), None, power, step)
        for power in range(self.low_y, self.high_y + 1):
            self.tick(None, self.y(10.0 ** power), power)

    def x(self, value):
        return self.left + SIZE_X * (math.log10(value) - self.low_x) / (self.high_x - self.low_x)

    def y(self, value):
        return TOP + SIZE_Y * (self.high_y - math.log10(value)) / (self.high_y - self.low_y)

    def text(self, x, y, text, anchor="start", size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{text}</text>')

    def tick(self, x, y, power, step=1):
        label = f"{step * 10.0 ** power:g}" if -3 <= power <= 4 else f"{step}e{power}"
        if x is not None:
            self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + SIZE_Y}" stroke="#e5e5e5"/>')
            self.text(x, TOP + SIZE_Y + 16, label, "middle", 11)
        else:
            self.parts.append(f'<line x1="{self.left}" x2="{self.left + SIZE_X}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e5e5"/>')
            self.text(self.left - 6, y + 4, label, "end", 11)

    def curve(self, points, colour):
        places = [(self.x(x), self.y(y)) for x, y in sorted(points)]
        if len(places) > 1:
            self.parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in places:
            self.mark(x, y, colour)

    def mark(self, x, y, colour, is_open=False):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{"white" if is_open else colour}" stroke="{colour}" stroke-width="1.5"/>')


def draw(lines):
    tools = sorted({line["variant"] for line in lines})
    colour = {tool: COLOURS[k % len(COLOURS)] for k, tool in enumerate(tools)}
    parts, left = [], LEFT
    iterations = latest([line for line in lines if line["bench"] == "sinkhorn_iteration"], ("variant", "n", "epsilon"))
    if iterations:
        panel = Panel(left, "one iteration", "points of either side", "ns per pair", [(line["n"], line["ns_per_pair_iter"]) for line in iterations])
        for tool in tools:
            panel.curve([(line["n"], line["ns_per_pair_iter"]) for line in iterations if line["variant"] == tool], colour[tool])
        parts, left = parts + panel.parts, left + SIZE_X + GAP
    solutions = latest([line for line in lines if line["bench"] == "sinkhorn_solution" and line.get("error", 0) > 0], ("variant", "n", "epsilon"))
    if solutions:
        panel = Panel(left, "time to solution", "seconds", "marginal error (float64)", [(line["seconds"], line["error"]) for line in solutions])
        for line in solutions:
            panel.mark(panel.x(line["seconds"]), panel.y(line["error"]), colour[line["variant"]], "not_reached" in line.get("flags", []))
        parts, left = parts + panel.parts, left + SIZE_X + GAP
    for k, tool in enumerate(tools):
        y = TOP + 14 + 18 * k
        parts.append(f'<circle cx="{left - 80}" cy="{y - 4}" r="5" fill="{colour[tool]}"/><text x="{left - 70}" y="{y}" font-size="12">{tool}</text>')
    where = {(line["machine"], str(line["threads"]), line["date"], line["commit"]) for line in lines}
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}" font-size="11" fill="#555">{"; ".join(f"{m}, {t} threads, {d}, {c}" for m, t, d, c in sorted(where)[-3:])}</text>')
    width = left + 60
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif">'
            f'<rect width="{width}" height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>\n')


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    lines = read_lines(sys.argv[1])
    if any(line["bench"] == "scaling" for line in lines):
        from plot_scaling import write_scaling
        return write_scaling(lines, Path(sys.argv[2] if len(sys.argv) == 3 else "scaling.svg"))
    if not lines:
        sys.exit(f"{sys.argv[1]} has no line that is fit to plot")
    Path(sys.argv[2] if len(sys.argv) == 3 else "results.svg").write_text(draw(lines))


if __name__ == "__main__":
    main()
