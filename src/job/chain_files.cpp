#include "job/chain_files.hpp"

#include <algorithm>

namespace thalweg {

TypeCategories::TypeCategories(const HmOtJob& job) {
  for (const auto& types : job.type_names) {
    std::vector<std::int32_t>& codes = code.emplace_back();
    for (const std::string& name : types) {
      const auto found = std::find(names.begin(), names.end(), name);
      codes.push_back(static_cast<std::int32_t>(found - names.begin()));
      if (found == names.end()) names.push_back(name);
    }
  }
}

std::vector<std::int32_t> category_codes(const HmOtJob& job, const TimeSeries& series, const TypeCategories& categories,
                                         const CellClustering& clustering, std::int64_t slice_of_types) {
  std::vector<std::int32_t> codes;
  std::size_t cell = 0;
  for (std::size_t t = 0; t < job.problem.slices.size(); ++t) {
    const auto& code = categories.code[slice_of_types < 0 ? t : static_cast<std::size_t>(slice_of_types)];
    for (std::int64_t i = 0; i < series.slices[t].rows.size(); ++i, ++cell)
      codes.push_back(code[static_cast<std::size_t>(clustering.labels[cell])]);
  }
  return codes;
}

}  // namespace thalweg
