// The results directory that an analysis starts from: a part of [input].
#pragma once

#include <string>

#include "core/rules.hpp"

namespace thalweg {

struct ResultOptions {
  std::string result = {};

  static constexpr const char* section = "input";
  static constexpr const char* part = "result";
  static constexpr const char* about = "what commands on results read in place of data";
  static void describe(auto& field) {
    field("result", &ResultOptions::result, "results directory to analyse", rules::file_path.required());
    field.later("model", "file of a fitted model");
  }
};

}  // namespace thalweg
