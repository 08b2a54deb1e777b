#include "io/plots/density_grid.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

namespace thalweg {

namespace {

constexpr Rgb kNotAssigned{0xbb, 0xbb, 0xbb}, kOutline{0xe4, 0xe4, 0xe4};
constexpr std::uint8_t kOutlineEntry = 1;

/// Pixel of a value along one side, or -1 outside.
std::int32_t grid_index(double value, double low, double high, std::int32_t size) {
  const double share = (value - low) / (high - low);
  if (!(share >= 0.0 && share <= 1.0)) return -1;
  return std::min(static_cast<std::int32_t>(share * size), size - 1);
}

auto place_of(const GridCount& count) { return std::tuple(count.panel, count.pixel, count.category); }

/// Sorts by panel, pixel and category and adds up equal ones.
void merge(std::vector<GridCount>& counts) {
  std::sort(counts.begin(), counts.end(), [](const GridCount& a, const GridCount& b) { return place_of(a) < place_of(b); });
  std::size_t end = 0;
  for (const GridCount& count : counts) {
    if (end > 0 && place_of(counts[end - 1]) == place_of(count)) counts[end - 1].count += count.count;
    else counts[end++] = count;
  }
  counts.resize(end);
}

/// Palette of an image: transparent, the outline, then `levels` opacities of each distinct colour.
struct ImagePalette {
  std::vector<Rgb> distinct;
  int levels = 1;

  explicit ImagePalette(std::span<const Rgb> colors) {
    distinct.push_back(kNotAssigned);
    for (const Rgb color : colors) {
      if (distinct.size() < 254 && std::find(distinct.begin(), distinct.end(), color) == distinct.end())
        distinct.push_back(color);
    }
    levels = std::clamp(254 / static_cast<int>(distinct.size()), 1, 16);
  }

  std::size_t first_entry(Rgb color) const {
    const auto at = std::find(distinct.begin(), distinct.end(), color);
    const std::size_t position = at == distinct.end() ? 0 : static_cast<std::size_t>(at - distinct.begin());
    return 2 + position * static_cast<std::size_t>(levels);
  }

  std::vector<Rgba> entries() const {
    std::vector<Rgba> out{{255, 255, 255, 0}, {kOutline.red, kOutline.green, kOutline.blue, 255}};
    for (const Rgb color : distinct) {
      for (int level = 0; level < levels; ++level) {
        const double opacity = levels == 1 ? 1.0 : 0.4 + 0.6 * level / (levels - 1);
        out.push_back({color.red, color.green, color.blue, static_cast<std::uint8_t>(std::lround(255.0 * opacity))});
      }
    }
    return out;
  }
};

/// Calls visit(pixel) for the pixels of a dot.
void for_dot(const GridCell& cell, std::int32_t size, int radius, const std::function<void(std::size_t)>& visit) {
  for (int dy = -radius; dy <= radius; ++dy) {
    for (int dx = -radius; dx <= radius; ++dx) {
      const int x = cell.column + dx, y = cell.row + dy;
      if (dx * dx + dy * dy > radius * radius + 1 || x < 0 || y < 0 || x >= size || y >= size) continue;
      visit(static_cast<std::size_t>(y) * static_cast<std::size_t>(size) + static_cast<std::size_t>(x));
    }
  }
}

void draw_cells(std::span<const GridCell> cells, const ImagePalette& palette, const GridLook& look, IndexedImage& image) {
  std::vector<std::int64_t> seen(image.pixels.size(), 0);
  std::int64_t largest = 1;
  for (const auto& cell : cells) largest = std::max(largest, cell.count);
  for (const auto& cell : cells) {
    const bool known = cell.category >= 0 && static_cast<std::size_t>(cell.category) < look.colors.size();
    const Rgb color = known ? look.colors[static_cast<std::size_t>(cell.category)] : kNotAssigned;
    const double density = std::log1p(static_cast<double>(cell.count)) / std::log1p(static_cast<double>(largest));
    const auto level = static_cast<std::size_t>(std::lround(density * (palette.levels - 1)));
    const auto entry = static_cast<std::uint8_t>(palette.first_entry(color) + level);
    for_dot(cell, image.width, look.radius, [&](std::size_t pixel) {
      if (seen[pixel] >= cell.count) return;
      seen[pixel] = cell.count;
      image.pixels[pixel] = entry;
    });
  }
}

}  // namespace

std::vector<GridCount> count_on_grid(std::span<const double> x, std::span<const double> y,
                                     std::span<const std::int32_t> panel, std::span<const std::int32_t> category,
                                     const Grid& grid) {
  std::vector<GridCount> counts;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t column = grid_index(x[i], grid.x_low, grid.x_high, grid.size);
    const std::int32_t row = grid_index(y[i], grid.y_low, grid.y_high, grid.size);
    if (column < 0 || row < 0) continue;
    counts.push_back({panel.empty() ? 0 : panel[i], (grid.size - 1 - row) * grid.size + column, category[i], 1});
  }
  merge(counts);
  return counts;
}

std::vector<GridCell> grid_cells(std::vector<GridCount> counts, const Grid& grid) {
  merge(counts);
  std::vector<GridCell> cells;
  for (const GridCount& count : counts) {
    const std::int32_t column = count.pixel % grid.size, row = count.pixel / grid.size;
    const bool is_new = cells.empty() || cells.back().panel != count.panel || cells.back().column != column || cells.back().row != row;
    if (is_new) cells.push_back({count.panel, column, row, 0, 0, 0});
    GridCell& cell = cells.back();
    cell.count += count.count;
    if (count.count > cell.category_count) cell.category_count = count.count, cell.category = count.category;
  }
  return cells;
}

IndexedImage grid_image(std::span<const GridCell> cells, std::span<const GridCell> others, const Grid& grid,
                        const GridLook& look) {
  const ImagePalette palette(look.colors);
  IndexedImage image{grid.size, grid.size, std::vector<std::uint8_t>(static_cast<std::size_t>(grid.num_pixels()), 0), palette.entries()};
  for (const auto& cell : others) for_dot(cell, grid.size, std::max(look.radius, 1), [&](std::size_t pixel) { image.pixels[pixel] = kOutlineEntry; });
  draw_cells(cells, palette, look, image);
  return image;
}

}  // namespace thalweg
