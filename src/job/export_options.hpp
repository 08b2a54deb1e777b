// How couplings are written out.
#pragma once

#include <cstdint>
#include <string>

#include "core/rules.hpp"

namespace thalweg {

struct ExportOptions {
  std::string pairs = "all";
  std::string layout = "wot";
  std::string sparsify = "top_k";
  std::int64_t top_k = 50;
  double threshold = 0.0;
  double row_mass = 0.99;
  bool keep_row_sums = true;
  std::string format = "csr";
  std::string prefix = "tmaps";

  static constexpr const char* section = "export";
  static constexpr const char* about = "couplings of a results directory as matrices";
  static void describe(auto& field) {
    using namespace rules;
    field("pairs", &ExportOptions::pairs, "which pairs", one_of({"all"}));
    field("layout", &ExportOptions::layout, "wot: files PREFIX_T0_T1.h5ad with X = n P", one_of({"wot"}));
    field("sparsify", &ExportOptions::sparsify,
          "entries kept of a row: its top_k largest, those of at least threshold times the row's mass, the largest that together "
          "have the share row_mass, or those of at least the smallest row maximum of the map",
          one_of({"top_k", "threshold", "row_mass", "min_row"}));
    field("top_k", &ExportOptions::top_k, "entries kept of a row", at_least(1));
    field("threshold", &ExportOptions::threshold, "least share of the row's mass that an entry kept has", in_range(0.0, 1.0));
    field("row_mass", &ExportOptions::row_mass, "share of the row's mass that is kept", in_range(0.0, 1.0));
    field("keep_row_sums", &ExportOptions::keep_row_sums, "scale what is kept of a row to the row's full mass");
    field("format", &ExportOptions::format, "csr, or dense up to 4 GiB without sparsification", one_of({"csr", "dense"}));
    field("prefix", &ExportOptions::prefix, "first part of the file names");
  }
};

}  // namespace thalweg
