// Columns cut into panels whose accumulators fit into the vector registers of the host.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace thalweg {

#ifdef __AVX512F__
inline constexpr int widest_panel = 5;  // 5 x 5 accumulators and 6 operands in 32 registers
#else
inline constexpr int widest_panel = 3;  // 3 x 3 accumulators and 4 operands in 16 registers
#endif

/// `size` columns in the fewest panels of at most `widest_panel`, of widths that differ by at most one.
struct Panels {
  std::int64_t size = 0;

  std::int64_t count() const { return (size + widest_panel - 1) / widest_panel; }
  std::int64_t begin(std::int64_t panel) const { return size * panel / count(); }
  int width(std::int64_t panel) const { return static_cast<int>(begin(panel + 1) - begin(panel)); }
};

/// Calls body(std::integral_constant<int, width>) for a width known only at run time.
template <class Body>
void with_width(int width, Body&& body) {
  const auto choose = [&]<int... less>(std::integer_sequence<int, less...>) {
    ((width == less + 1 ? body(std::integral_constant<int, less + 1>{}) : void()), ...);
  };
  choose(std::make_integer_sequence<int, widest_panel>{});
}

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
