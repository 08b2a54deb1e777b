// The items of a job array: one job with one setting changed, in a folder of its own.
#pragma once

#include <string>
#include <vector>

#include "config/value.hpp"
#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

struct ArrayItem {
  std::string name;     ///< of its folder below items/
  std::string setting;  ///< as after --set: "run.seed=3"
};

/// What submit.array asks for; empty for "none". Throws ConfigError where the command has no such items, DataError where
/// the times cannot be read. Collective.
std::vector<ArrayItem> array_items(const Communicator& comm, const JobContext& context);

/// items.tsv: number (of the array task), name and setting of each item.
std::string items_tsv(const std::vector<ArrayItem>& items);
/// Reads it. Throws DataError when it is none.
std::vector<ArrayItem> read_items(const std::string& path);

/// results/items/NAME
std::string item_folder(const std::string& results, const ArrayItem& item);

/// Lays the item that run.item numbers or names over the settings: its setting, and its folder as output.dir; without
/// run.item nothing changes. Throws ConfigError when output.dir holds no such item. Collective.
void apply_item(const Communicator& comm, config::Value& root);

}  // namespace thalweg
