// Texts shared between ranks.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// `texts` of rank 0 on all ranks.
void broadcast_texts(const Communicator& comm, std::vector<std::string>& texts);

/// The different texts of all ranks, sorted by bytes, on all ranks.
std::vector<std::string> distinct_texts(const Communicator& comm, const std::vector<std::string>& texts);

}  // namespace thalweg
