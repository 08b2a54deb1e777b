#include "distributed/hdf5_text_rows.hpp"

#include <algorithm>

namespace thalweg::hdf5 {

namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 20;

/// End of the block of texts that begins at `first`: at least one text if there is one.
std::size_t end_of_block(std::span<const std::string> texts, std::size_t first) {
  std::size_t bytes = 0, last = first;
  while (last < texts.size() && (last == first || bytes + texts[last].size() < block_bytes))
    bytes += texts[last++].size() + 1;
  return last;
}

/// The texts as one row of characters, a zero byte after each.
std::vector<char> joined(std::span<const std::string> texts) {
  std::vector<char> characters;
  for (const std::string& text : texts)
    characters.insert(characters.end(), text.c_str(), text.c_str() + text.size() + 1);
  return characters;
}

std::vector<std::string> split(std::span<const char> characters) {
  std::vector<std::string> texts;
  for (auto begin = characters.begin(); begin != characters.end();) {
    const auto end = std::find(begin, characters.end(), '\0');
    texts.emplace_back(begin, end);
    begin = end + 1;
  }
  return texts;
}

/// On rank 0: the texts that the other ranks and itself give; all but one give none.
std::vector<std::string> brought_to_root(const Communicator& comm, std::span<const std::string> texts) {
  const std::vector<char> characters = joined(texts);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(comm.size()), 0), received_counts;
  counts[0] = static_cast<std::int64_t>(characters.size());
  return split(
      comm.all_to_all(std::span<const char>(characters), std::span<const std::int64_t>(counts), received_counts));
}

}  // namespace

void write_text_rows(const Communicator& comm, CreatedFile* file, std::size_t index, const Hdf5Node& node) {
  const std::span<const std::string> texts = *std::get<Hdf5TextRows>(node.content).local;
  comm.on_all([&] { refuse_zero_bytes(texts, node.path); });
  for (int source = 0; source < comm.size(); ++source) {
    const std::span<const std::string> mine = comm.rank() == source ? texts : std::span<const std::string>{};
    for (std::size_t first = 0; comm.any(first < mine.size());) {
      const std::size_t last = end_of_block(mine, first);
      std::vector<std::string> slab = brought_to_root(comm, mine.subspan(first, last - first));
      comm.on_root([&] { file->append_texts(index, std::move(slab)); });
      first = last;
    }
  }
  comm.on_root([&] { file->finish_texts(); });
}

}  // namespace thalweg::hdf5
