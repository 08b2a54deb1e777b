// Where results go and in which form.
#pragma once

#include <string>

#include "core/rules.hpp"

namespace thalweg {

struct OutputOptions {
  std::string dir = {};
  bool overwrite = false;
  bool plots = true;
  std::string compression = "gzip";
  std::string key_prefix = {};
  std::string store = "potentials";

  static constexpr const char* section = "output";
  static constexpr const char* about = "where results go";
  static void describe(auto& field) {
    using namespace rules;
    field("dir", &OutputOptions::dir, "results directory, created if absent", file_path.required());
    field("overwrite", &OutputOptions::overwrite, "replace the result of another job in the directory");
    field("plots", &OutputOptions::plots, "write plots/*.svg");
    field("compression", &OutputOptions::compression, "of matrices in result.h5ad", one_of({"gzip", "none"}));
    field("key_prefix", &OutputOptions::key_prefix, "put before every obs, obsm and uns key written");
    field("store", &OutputOptions::store, "potentials: couplings in the form that generates them; sparse: also as [export] says",
          one_of({"potentials", "sparse"}));
    field.later("report", "report.html");
  }
};

}  // namespace thalweg
