#include "config/problems.hpp"

#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg::config {

void Problems::add(const Location& where, const std::string& text) { lines_.push_back(where.text() + ": " + text); }

void Problems::throw_if_any() const {
  if (!empty()) throw ConfigError(join(lines_, "\n"));
}

}  // namespace thalweg::config
