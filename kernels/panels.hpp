// Columns cut into panels whose accumulators fit into the vector registers of the host.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace thalweg {

/// Columns of a panel at most, of either side of a product of columns: 5 x 5 accumulators and 6 operands in 32 vector
/// registers, 3 x 3 and 4 in 16.
#ifdef __AVX512F__
inline constexpr int widest_panel = 5;
#else
inline constexpr int widest_panel = 3;
#endif

/// `size` columns in the fewest panels of at most `widest`, of widths that differ by at most one.
template <int widest = widest_panel>
struct Panels {
  std::int64_t size = 0;

  std::int64_t count() const { return (size + widest - 1) / widest; }
  std::int64_t begin(std::int64_t panel) const { return size * panel / count(); }
  int width(std::int64_t panel) const { return static_cast<int>(begin(panel + 1) - begin(panel)); }

  /// Calls body(std::integral_constant<int, width(panel)>).
  template <class Body>
  void with_width(std::int64_t panel, Body&& body) const {
    const auto choose = [&]<int... less>(std::integer_sequence<int, less...>) {
      ((width(panel) == less + 1 ? body(std::integral_constant<int, less + 1>{}) : void()), ...);
    };
    choose(std::make_integer_sequence<int, widest>{});
  }
};

/// Values that start at a cache line; those of a new buffer are left uninitialised.
template <class Value>
class LineBuffer {
 public:
  explicit LineBuffer(std::int64_t size) : lines_(static_cast<std::size_t>((size + per_line - 1) / per_line)) {}
  Value* data() { return lines_.empty() ? nullptr : lines_[0].values; }
  const Value* data() const { return lines_.empty() ? nullptr : lines_[0].values; }

 private:
  static constexpr std::int64_t per_line = 64 / static_cast<std::int64_t>(sizeof(Value));
  struct alignas(64) Line {
    Line() {}  // not = default, which would set the values to zero
    Value values[per_line];
  };
  std::vector<Line> lines_;
};

}  // namespace thalweg
