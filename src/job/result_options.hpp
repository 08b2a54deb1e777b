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
  }
};

/// The model that a command applies: another part of [input].
struct ModelOptions {
  std::string model = {};

  static constexpr const char* section = "input";
  static constexpr const char* part = "model";
  static constexpr const char* about = "what commands that apply a model read besides data";
  static void describe(auto& field) {
    field("model", &ModelOptions::model, "file of the model: model.h5 of embed train", rules::file_path.required());
  }
};

}  // namespace thalweg
