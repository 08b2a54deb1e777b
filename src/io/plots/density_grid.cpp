#include "io/plots/density_grid.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr Rgb kNotAssigned{0xbb, 0xbb, 0xbb};

/// Grid index of a value, or -1 outside.
std::int64_t grid_index(double value, const Axis& axis) {
  const double share = (value - axis.low) / (axis.high - axis.low);
  if (!(share >= 0.0 && share <= 1.0)) return -1;
  return std::min<std::int64_t>(static_cast<std::int64_t>(share * kGridSize), kGridSize - 1);
}

/// Palette of an image: entry 0 is transparent, then `levels` opacities of each distinct colour.
struct ImagePalette {
  std::vector<Rgb> distinct;
  int levels = 1;

  explicit ImagePalette(std::span<const Rgb> colors) {
    distinct.push_back(kNotAssigned);
    for (const Rgb color : colors) {
      if (distinct.size() < 255 && std::find(distinct.begin(), distinct.end(), color) == distinct.end())
        distinct.push_back(color);
    }
    levels = std::clamp(255 / static_cast<int>(distinct.size()), 1, 16);
  }

  std::size_t position(Rgb color) const {
    const auto at = std::find(distinct.begin(), distinct.end(), color);
    return at == distinct.end() ? 0 : static_cast<std::size_t>(at - distinct.begin());
  }

  std::vector<Rgba> entries() const {
    std::vector<Rgba> out{{255, 255, 255, 0}};
    for (const Rgb color : distinct) {
      for (int level = 0; level < levels; ++level) {
        const double opacity = levels == 1 ? 1.0 : 0.4 + 0.6 * level / (levels - 1);
        out.push_back({color.red, color.green, color.blue, static_cast<std::uint8_t>(std::lround(255.0 * opacity))});
      }
    }
    return out;
  }
};

}  // namespace

std::vector<GridCell> count_on_grid(std::span<const double> x, std::span<const double> y,
                                    std::span<const std::int32_t> category, const Axis& x_axis, const Axis& y_axis) {
  struct Key {
    std::int32_t pixel, category;
    auto operator<=>(const Key&) const = default;
  };
  std::vector<Key> keys;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int64_t column = grid_index(x[i], x_axis), row = grid_index(y[i], y_axis);
    if (column < 0 || row < 0) continue;
    keys.push_back({static_cast<std::int32_t>((kGridSize - 1 - row) * kGridSize + column), category[i]});
  }
  std::sort(keys.begin(), keys.end());
  std::vector<GridCell> grid;
  for (std::size_t begin = 0; begin < keys.size();) {
    std::size_t end = begin;
    while (end < keys.size() && keys[end] == keys[begin]) ++end;
    const auto count = static_cast<std::int64_t>(end - begin);
    const std::int32_t column = keys[begin].pixel % kGridSize, row = keys[begin].pixel / kGridSize;
    if (grid.empty() || grid.back().column != column || grid.back().row != row) grid.push_back({column, row, 0, 0, 0});
    GridCell& cell = grid.back();
    cell.count += count;
    if (count > cell.category_count) cell.category_count = count, cell.category = keys[begin].category;
    begin = end;
  }
  return grid;
}

IndexedImage grid_image(std::span<const GridCell> grid, std::span<const Rgb> colors, int radius) {
  const ImagePalette palette(colors);
  IndexedImage image{kGridSize, kGridSize, {}, palette.entries()};
  constexpr std::size_t pixels = static_cast<std::size_t>(kGridSize) * kGridSize;
  image.pixels.assign(pixels, 0);
  std::vector<std::int64_t> seen(pixels, 0);
  std::int64_t largest = 1;
  for (const auto& cell : grid) largest = std::max(largest, cell.count);
  for (const auto& cell : grid) {
    const bool known = cell.category >= 0 && static_cast<std::size_t>(cell.category) < colors.size();
    const std::size_t color = palette.position(known ? colors[static_cast<std::size_t>(cell.category)] : kNotAssigned);
    const double density = std::log1p(static_cast<double>(cell.count)) / std::log1p(static_cast<double>(largest));
    const auto level = static_cast<std::size_t>(std::lround(density * (palette.levels - 1)));
    const auto entry = static_cast<std::uint8_t>(1 + color * static_cast<std::size_t>(palette.levels) + level);
    for (int dy = -radius; dy <= radius; ++dy) {
      for (int dx = -radius; dx <= radius; ++dx) {
        const int px = cell.column + dx, py = cell.row + dy;
        if (dx * dx + dy * dy > radius * radius + 1 || px < 0 || py < 0 || px >= kGridSize || py >= kGridSize) continue;
        const std::size_t pixel = static_cast<std::size_t>(py) * kGridSize + static_cast<std::size_t>(px);
        if (seen[pixel] >= cell.count) continue;
        seen[pixel] = cell.count;
        image.pixels[pixel] = entry;
      }
    }
  }
  return image;
}

}  // namespace thalweg
