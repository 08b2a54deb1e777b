// An AnnData object with every kind of content; each value is a function of its global row, as
// tests/python/check_h5ad.py expects.
#pragma once

#include <string>

#include "distributed/partition.hpp"
#include "io/anndata_writer.hpp"

namespace thalweg {

inline AnnDataWriter example_anndata(RowRange owned, bool with_matrix, bool is_root = true) {
  std::vector<std::string> names;
  std::vector<double> growth;
  std::vector<std::int64_t> source_row;
  std::vector<std::int32_t> day, wide;
  std::vector<std::uint8_t> kept;
  std::vector<float> push;
  std::vector<double> fates;
  CsrRows sparse{{0}, {}, {}};
  std::vector<double> sparse_values;
  for (std::int64_t i = owned.begin; i < owned.end; ++i) {
    names.push_back("cell_" + std::to_string(i) + (i % 5 == 0 ? "_é" : ""));
    growth.push_back(1.0 / static_cast<double>(i + 1));
    source_row.push_back(3 * i + (std::int64_t{1} << 40));
    day.push_back(static_cast<std::int32_t>(i % 4) - 1);
    wide.push_back(static_cast<std::int32_t>(i % 200));
    kept.push_back(i % 3 == 0);
    for (int k = 0; k < 3; ++k) push.push_back(static_cast<float>(i) + 0.25f * static_cast<float>(k));
    for (int k = 0; k < 2; ++k) fates.push_back(static_cast<double>(i) * 1e-3 - k);
    for (std::int64_t j = i % 2; j < i % 6; ++j) {
      sparse.columns.push_back(j);
      sparse_values.push_back(static_cast<double>(i + 10 * j));
    }
    sparse.row_begin.push_back(static_cast<std::int64_t>(sparse.columns.size()));
  }
  sparse.values = NumericBlock::own(std::move(sparse_values));
  std::vector<std::string> wide_names;
  for (int k = 0; k < 200; ++k) wide_names.push_back("category " + std::to_string(k));

  AnnDataWriter file;
  file.obs().set_index(std::move(names));
  file.obs().add("growth_prior", std::move(growth));
  file.obs().add("source_row", std::move(source_row));
  file.obs().add_categorical("day", day, {"E8.5", "E9.5", "E10.5"}, /*ordered=*/true);
  file.obs().add_categorical("wide", wide, std::move(wide_names));
  file.obs().add_flags("kept", std::move(kept));
  file.add_matrix("obsm/push", NumericBlock::own(std::move(push)), 3);
  file.add_matrix("obsm/fates", NumericBlock::own(std::move(fates)), 2);
  if (with_matrix) {
    if (is_root) file.var().set_index({"g0", "g1", "g2", "g3", "g4", "g5"});
    file.add_sparse("X", std::move(sparse), 6);
  }
  file.add_uns("thalweg/source/path", "atlas.h5ad");
  file.add_uns("thalweg/source/rows", std::int64_t{1} << 40);
  file.add_uns("thalweg/columns/push", std::vector<std::string>{"a", "b", "ü"});
  file.add_uns("thalweg/converged", true);
  file.add_uns("thalweg/epsilon", 0.05);
  file.add_uns("thalweg/times", std::vector<double>{8.5, 9.5, 10.5});
  file.add_uns("thalweg/transition", UnsArray{NumericBlock::own(std::vector<float>{0, 1, 2, 3, 4, 5}), {2, 3}});
  file.add_uns("thalweg/nothing", std::monostate{});
  file.add_uns("day_colors", std::vector<std::string>{"#ff0000", "#00ff00", "#0000ff"});
  return file;
}

}  // namespace thalweg
