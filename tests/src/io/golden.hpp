// The formulas of tests/golden/make_h5ad.py.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "test_paths.hpp"

namespace thalweg::golden {

inline std::string path(const std::string& name) { return test_data() + "/h5ad/" + name + ".h5ad"; }

inline double dense(std::int64_t i, std::int64_t j) { return static_cast<double>((31 * i + 7 * j) % 101) / 8; }
inline double sparse(std::int64_t i, std::int64_t j) { return (i + 2 * j) % 3 == 0 ? dense(i, j) : 0; }

inline double day(std::int64_t i) {
  constexpr std::array<double, 4> days{8.5, 7.0, 10.0, 9.25};
  return days[static_cast<std::size_t>((5 * i) % 4)];
}
/// Index into {"Épiblast", "blood", "nœud"}; -1 where missing.
inline std::int32_t type(std::int64_t i) { return i % 10 == 9 ? -1 : static_cast<std::int32_t>(i % 3); }
inline double weight(std::int64_t i) { return 1.0 + static_cast<double>(i % 8) / 8; }

}  // namespace thalweg::golden
