#include "distributed/rank_texts.hpp"

#include <unistd.h>

#include <array>

namespace thalweg {

std::vector<std::string> texts_of_ranks(const Communicator& comm, const std::string& text) {
  const auto length = static_cast<std::int64_t>(text.size());
  const std::vector<std::int64_t> lengths = comm.all_gather(std::span<const std::int64_t>(&length, 1));
  const std::vector<char> characters = comm.all_gather(std::span<const char>(text));
  std::vector<std::string> texts;
  auto begin = characters.begin();
  for (const std::int64_t count : lengths) {
    texts.emplace_back(begin, begin + count);
    begin += count;
  }
  return texts;
}

std::vector<std::string> host_names(const Communicator& comm) { return texts_of_ranks(comm, host_name()); }

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace thalweg
