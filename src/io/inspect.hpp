// What an .h5ad file holds, as text and JSON, and the check of its checksums.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

struct KeySummary {
  std::string key;
  std::vector<std::int64_t> shape;
  std::string type;
  std::vector<std::int64_t> chunk;
  std::vector<std::string> filters;
  /// Of a categorical column.
  std::vector<std::string> categories;
  bool ordered = false;
  /// Why the key cannot be read; empty when it can.
  std::string problem;
};

struct FileSummary {
  std::string path;
  std::int64_t bytes = 0;
  std::int64_t num_obs = 0;
  std::int64_t num_vars = 0;
  /// obs columns, X, raw/X, layers, obsm, then names below varm, obsp, varp and uns.
  std::vector<KeySummary> keys;
  /// Time column given or guessed; empty without one.
  std::string time_key;
  struct TimeCount {
    std::string name;
    std::int64_t num_cells = 0;
  };
  std::vector<TimeCount> times;
  std::int64_t without_time = 0;
  /// How the times were understood, or why they were not.
  std::string time_note;
};

/// Reads descriptions and the time column, no other values. With no `time_key`, an obs column named time,
/// day, days, timepoint, time_point, age or stage is taken. Collective.
FileSummary summarise_file(const Communicator& comm, const std::string& path, const std::string& time_key = {});

/// Aligned lines for a terminal; categories and times: the first 20. Not collective.
std::string inspect_text(const FileSummary& summary);
std::string inspect_json(const FileSummary& summary);

/// Recomputes the checksum of every dataset that carries one (`thalweg_xxh3`) and returns how many there
/// are. Throws DataError naming the first dataset that differs. Collective.
std::int64_t verify_checksums(const Communicator& comm, const std::string& path);

}  // namespace thalweg
