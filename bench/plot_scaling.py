"""Scaling runs as SVG: seconds of an iteration with the model and the ideal line, efficiency, and where the time goes."""
from plot import COLOURS, LEFT, SIZE_X, SIZE_Y, TOP, GAP, Panel
from scaling import summary

PARTS = [("compute_s", "computing", "#0b5394"), ("communication_s", "communicating", "#e69138"), ("wait_s", "waiting", "#999999"), ("state_s", "writing a state, once", "#6aa84f")]


def dashed(panel, points, colour, pattern):
    places = " ".join(f"{panel.x(x):.1f},{panel.y(y):.1f}" for x, y in sorted(points))
    panel.parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{pattern}"/>')


def by_job(rows):
    jobs = {}
    for row in rows:
        jobs.setdefault(row["job"], []).append(row)
    return jobs


def ideal(job):
    """Of equal efficiency on all ranks: the work of the row over its ranks."""
    return [(row["G"], row["iteration_s"] * row["efficiency"]) for row in job]


def seconds_panel(jobs, left):
    points = [(row["G"], value) for job in jobs.values() for row in job for value in (row["iteration_s"], row["predicted_s"]) if value]
    panel = Panel(left, "one iteration", "ranks", "seconds", points + [point for job in jobs.values() for point in ideal(job)])
    for (name, job), colour in zip(jobs.items(), COLOURS):
        panel.curve([(row["G"], row["iteration_s"]) for row in job], colour)
        dashed(panel, ideal(job), colour, "2,3")
        if all(row["predicted_s"] for row in job):
            dashed(panel, [(row["G"], row["predicted_s"]) for row in job], colour, "7,4")
    return panel.parts


class Frame:
    """Axes from 0 to 1 in y, and one place for each row in x."""

    def __init__(self, left, title, labels):
        self.left, self.count, self.parts = left, len(labels), []
        self.text(left + SIZE_X / 2, TOP - 18, title, "middle", 14)
        self.parts.append(f'<rect x="{left}" y="{TOP}" width="{SIZE_X}" height="{SIZE_Y}" fill="none" stroke="#444"/>')
        for tenth in range(0, 11, 2):
            y = self.y(tenth / 10)
            self.parts.append(f'<line x1="{left}" x2="{left + SIZE_X}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e5e5"/>')
            self.text(left - 6, y + 4, f"{10 * tenth} %", "end", 11)
        for place, label in enumerate(labels):
            self.text(self.x(place), TOP + SIZE_Y + 16, label, "middle", 10)

    def x(self, place):
        return self.left + SIZE_X * (place + 0.5) / self.count

    def y(self, share):
        return TOP + SIZE_Y * (1.05 - share) / 1.05

    def text(self, x, y, text, anchor, size):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{text}</text>')

    def box(self, place, low, high, colour):
        width = 0.6 * SIZE_X / self.count
        self.parts.append(f'<rect x="{self.x(place) - width / 2:.1f}" y="{self.y(high):.1f}" width="{width:.1f}" height="{self.y(low) - self.y(high):.1f}" fill="{colour}"/>')


def efficiency_panel(rows, colours, left):
    frame = Frame(left, "efficiency", [str(row["G"]) for row in rows])
    for place, row in enumerate(rows):
        frame.box(place, 0.0, min(row["efficiency"], 1.05), colours[row["job"]])
        frame.text(frame.x(place), frame.y(min(row["efficiency"], 1.0)) + 14, f"{row['efficiency']:.2f}", "middle", 10)
    return frame.parts


def parts_panel(rows, left):
    """Shares of the time of the timed iterations and one state."""
    frame = Frame(left, "where the time goes", [f"{row['G']}" for row in rows])
    for place, row in enumerate(rows):
        values = {key: row[key] for key, _, _ in PARTS}
        total, low = sum(values.values()), 0.0
        for key, _, colour in PARTS:
            frame.box(place, low, low + values[key] / total, colour)
            low += values[key] / total
    for k, (_, name, colour) in enumerate(PARTS):
        y = TOP + 14 + 18 * k
        frame.parts.append(f'<rect x="{left + SIZE_X + 14}" y="{y - 10}" width="10" height="10" fill="{colour}"/>')
        frame.text(left + SIZE_X + 30, y, name, "start", 12)
    return frame.parts


def write_scaling(lines, path):
    lines = [line for line in lines if line["bench"] == "scaling" and "contended" not in line.get("flags", "")]
    rows = summary(lines)
    jobs = by_job(rows)
    colours = dict(zip(jobs, COLOURS))
    step, parts = SIZE_X + GAP, []
    parts += seconds_panel(jobs, LEFT) + efficiency_panel(rows, colours, LEFT + step) + parts_panel(rows, LEFT + 2 * step)
    for k, (name, colour) in enumerate(colours.items()):
        y = TOP + 110 + 18 * k
        parts.append(f'<circle cx="{LEFT + 2 * step + SIZE_X + 19}" cy="{y - 4}" r="5" fill="{colour}"/><text x="{LEFT + 2 * step + SIZE_X + 30}" y="{y}" font-size="12">{name}</text>')
    where = sorted({f"{line['machine']}, {line['cpu']}, {line['threads']} thread(s) a rank, {line['date']}, {line['commit']}" for line in lines})
    notes = f"points: measured; dots: ideal; dashes: model {', '.join(sorted({line.get('model', '') for line in lines if line.get('model')}))}. {'; '.join(where[-2:])}"
    height, width = TOP + SIZE_Y + 80, LEFT + 3 * step + 130
    parts.append(f'<text x="{LEFT}" y="{height - 10}" font-size="11" fill="#555">{notes}</text>')
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
                    f'<rect width="{width}" height="{height}" fill="white"/>{"".join(parts)}</svg>\n')
