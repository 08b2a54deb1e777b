// The errors of a job file, gathered so that all are told together.
#pragma once

#include <string>
#include <vector>

#include "config/value.hpp"

namespace thalweg::config {

class Problems {
 public:
  void add(const Location& where, const std::string& text);
  bool empty() const { return lines_.empty(); }
  /// One ConfigError whose text has one line a problem, ordered as found.
  void throw_if_any() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace thalweg::config
