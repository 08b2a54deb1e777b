// What each rank has to say, on all ranks.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// The texts of all ranks, in rank order. Collective.
std::vector<std::string> texts_of_ranks(const Communicator& comm, const std::string& text);

/// Names of the hosts of all ranks, in rank order. Collective.
std::vector<std::string> host_names(const Communicator& comm);

/// Name of the host of this rank.
std::string host_name();

}  // namespace thalweg
